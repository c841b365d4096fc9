import type { MemoryConsumer } from '../../src/adapters/inbound/memory/memory-broker.ts';
import type { MakeMemorySource } from '../contracts/memory-harness.ts';
import { type Mutant, withBroker, withMembers } from './broken-memory-source.ts';

/** @param change what the source's consumer does otherwise while the source drains. */
const whileDraining =
  (change: (consumer: MemoryConsumer) => Partial<MemoryConsumer>): MakeMemorySource =>
  (broker, context) => {
    const source = withBroker((healthy) => ({
      counts: healthy.counts,
      deadLetters: healthy.deadLetters,
      publish: (event) => healthy.publish(event),
      bind: (stream, pattern) => healthy.bind(stream, pattern),
      attach(name, onReady) {
        const consumer = healthy.attach(name, onReady);
        const now = (): MemoryConsumer =>
          source.state.kind === 'draining' ? { ...consumer, ...change(consumer) } : consumer;
        return {
          hasNext: () => now().hasNext(),
          take: () => now().take(),
          remove: (delivery) => now().remove(delivery),
          replace: (delivery, letter) => now().replace(delivery, letter),
          giveBack: (delivery) => now().giveBack(delivery),
          detach: () => now().detach(),
        };
      },
    }))(broker, context);
    return source;
  };

export const drainMutants: readonly Mutant[] = [
  {
    name: 'drain leaves the backlog where it is',
    fails: ['S24', 'S24.1'],
    make: whileDraining(() => ({ hasNext: () => false, take: () => undefined })),
  },
  {
    name: 'drain resolves as soon as nothing is in flight',
    fails: ['S24.1'],
    make: whileDraining(() => ({ hasNext: () => false })),
  },
  {
    name: 'a paused source hands over nothing more',
    fails: ['S24.1'],
    make: withMembers((source) => ({
      drain: (deadline) => source.drain(source.state.kind === 'paused' ? AbortSignal.abort() : deadline),
    })),
  },
  {
    name: 'the backlog of a drain comes all at once',
    fails: ['S24'],
    make: withMembers((source, broker) => ({
      start(handler) {
        return source.start(async (message) => {
          const settlement = await handler(message);
          const others = source.state.kind === 'draining' ? broker.counts.messages : 0;
          await Promise.all(Array.from({ length: others }, async () => handler(message)));
          return settlement;
        });
      },
    })),
  },
  {
    name: 'what is published in a drain is taken',
    fails: ['S12', 'S24.2'],
    make: withMembers((_, broker) => ({ publish: (event) => broker.publish(event) })),
  },
  {
    name: 'what is given back in a drain is offered on and on',
    fails: ['S24.3'],
    make: withMembers((source) => ({
      start: (handler) =>
        source.start(async (message) => {
          const settlement = await handler(message);
          return settlement.kind === 'retry' && source.state.kind === 'draining' ? handler(message) : settlement;
        }),
    })),
  },
  {
    name: 'what is given back in a drain counts as settled',
    fails: ['S24.3', 'S24.5'],
    make: withMembers((source) => ({
      async drain(deadline) {
        const { settled, abandoned } = await source.drain(deadline);
        return { settled: settled + abandoned, abandoned: 0 };
      },
    })),
  },
  {
    name: 'what was in hand stays there when it is given back in a drain',
    fails: ['S24.4'],
    make: whileDraining(() => ({ giveBack: () => {} })),
  },
  {
    name: 'a drain counts only what is in flight as abandoned',
    fails: ['S24.5'],
    make: withMembers((source) => {
      let running = 0;
      return {
        start: (handler) =>
          source.start(async (message) => {
            running += 1;
            const settlement = await handler(message);
            running -= 1;
            return settlement;
          }),
        async drain(deadline) {
          const { settled } = await source.drain(deadline);
          return { settled, abandoned: running };
        },
      };
    }),
  },
];
