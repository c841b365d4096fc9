import type { MessageHandler, Settlement } from '../../src/application/ports/event-source.ts';
import { accept, deadLetter, retry } from '../contracts/handler-probe.ts';
import {
  changed,
  type Mutant,
  withBroker,
  withHandler,
  withObservations,
  withSettings,
  withSettlement,
} from './broken-memory-source.ts';

const never = (): Promise<Settlement> => new Promise(() => {});

const answersThrowsWith =
  (answer: () => Settlement | Promise<Settlement>) =>
  (handler: MessageHandler): MessageHandler =>
  async (message) => {
    try {
      return await handler(message);
    } catch {
      return answer();
    }
  };

export const settlementMutants: readonly Mutant[] = [
  {
    name: 'accept does nothing',
    fails: ['S1'],
    make: withSettlement((settlement) => (settlement.kind === 'accept' ? never() : settlement)),
  },
  {
    name: 'accept dead-letters, and the queue looks as empty',
    fails: ['S1'],
    make: withSettlement((settlement) => (settlement.kind === 'accept' ? deadLetter : settlement)),
  },
  {
    name: 'accept gives back once',
    fails: ['S1'],
    make: withSettlement((settlement, { attempt }) => (attempt === 1 ? retry : settlement)),
  },
  {
    name: 'retry accepts',
    fails: ['S2', 'S2.1'],
    make: withSettlement((settlement) => (settlement.kind === 'retry' ? accept : settlement)),
  },
  {
    name: 'retry dead-letters',
    fails: ['S2', 'S2.1'],
    make: withSettlement((settlement) => (settlement.kind === 'retry' ? deadLetter : settlement)),
  },
  {
    name: 'retry does nothing',
    fails: ['S2'],
    make: withSettlement((settlement) => (settlement.kind === 'retry' ? never() : settlement)),
  },
  {
    name: 'every attempt is the first',
    fails: ['S2'],
    make: withHandler(
      (handler) =>
        ({ event }) =>
          handler({ event, attempt: 1 }),
    ),
  },
  {
    name: 'dead-letter accepts',
    fails: ['S3'],
    make: withSettlement((settlement) => (settlement.kind === 'dead-letter' ? accept : settlement)),
  },
  {
    name: 'dead-letter leaves the message in the queue',
    fails: ['S3'],
    make: withSettlement((settlement) => (settlement.kind === 'dead-letter' ? retry : settlement)),
  },
  {
    name: 'dead letters lose attributes and cause',
    fails: ['S3'],
    make: withBroker((broker) => ({
      counts: broker.counts,
      deadLetters: broker.deadLetters,
      publish: (event) => broker.publish(event),
      bind: (stream, pattern) => broker.bind(stream, pattern),
      attach(source, onReady) {
        const consumer = broker.attach(source, onReady);
        return {
          ...consumer,
          replace: (delivery, letter) => consumer.replace(delivery, changed(letter, { attributes: new Map() })),
        };
      },
    })),
  },
  { name: 'no limit in flight', fails: ['S4'], make: withSettings({ inFlightMax: 1000 }) },
  { name: 'one message at a time', fails: ['S4'], make: withSettings({ inFlightMax: 1 }) },
  {
    name: 'a retried message goes to the end',
    fails: ['S7'],
    make: withSettlement(async (settlement, { event }, broker) => {
      if (settlement.kind !== 'retry') return settlement;
      await broker.publish(event);
      return accept;
    }),
  },
  {
    name: 'the newest message comes first',
    fails: ['S7'],
    make: withHandler((handler) => {
      const waiting: Parameters<MessageHandler>[0][] = [];
      return async (message) => {
        waiting.push(message);
        setImmediate(() => {
          const newest = waiting.pop();
          if (newest) void handler(newest);
        });
        return accept;
      };
    }),
  },
  { name: 'a throw accepts', fails: ['S16'], make: withHandler(answersThrowsWith(() => accept)) },
  { name: 'a throw dead-letters', fails: ['S16', 'S16.1'], make: withHandler(answersThrowsWith(() => deadLetter)) },
  { name: 'after a throw the message is never settled', fails: ['S16.1'], make: withHandler(answersThrowsWith(never)) },
  {
    name: 'a throw is not observed',
    fails: ['S16'],
    make: withObservations((observation) => (observation.kind === 'source-fault' ? undefined : observation)),
  },
  {
    name: 'a slow handler gets its message again',
    fails: ['S20'],
    make: withHandler((handler) => async (message) => {
      const first = handler(message);
      const again = setTimeout(() => void handler(message), 10);
      const settlement = await first;
      clearTimeout(again);
      return settlement;
    }),
  },
];
