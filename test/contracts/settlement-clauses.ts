import { expect } from 'vitest';
import type { BrokerMessage, Settlement } from '../../src/application/ports/event-source.ts';
import type { Clause } from './clause.ts';
import { accept, deadLetter, handlerProbe, holdingProbe, retry } from './handler-probe.ts';
import { bytesOf, neverAborts, textOf } from './test-data.ts';

/** Answers in turn; what comes after the last answer is held for good. */
function inTurn(...answers: readonly (() => Settlement)[]): (message: BrokerMessage) => Promise<Settlement> {
  const left = [...answers];
  return async () => {
    const answer = left.shift();
    return answer ? answer() : new Promise<Settlement>(() => {});
  };
}

const fails = (): never => {
  throw new Error('the handler fails');
};

/** What becomes of a message after the handler's answer. */
export const settlementClauses: readonly Clause[] = [
  {
    id: 'S1',
    promise: 'accept removes a message for good, and it is no dead letter',
    async run({ harness, source, eventually, soon }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(async () => {
        expect(probe.messages).toHaveLength(1);
        expect(await harness.backlog()).toBe(0);
      });
      await harness.quiet();
      expect(probe.messages).toHaveLength(1);
      await soon(source.drain(neverAborts()));
      const second = handlerProbe();
      await harness.secondSource().start(second.handler);
      await harness.quiet();
      expect(second.messages).toHaveLength(0);
      expect(await harness.backlog()).toBe(0);
      expect(await harness.deadLettered()).toHaveLength(0);
    },
  },
  {
    id: 'S2',
    promise: 'retry brings a message back, counted as a further attempt',
    needs: ['redelivers'],
    async run({ harness, source, eventually }) {
      const probe = handlerProbe(
        inTurn(
          () => retry,
          () => accept,
        ),
      );
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.messages).toHaveLength(2));
      const [first, second] = probe.messages;
      expect(first?.attempt).toBe(1);
      expect(second?.attempt).toBeGreaterThan(1);
      expect(second?.event.id).toBe(first?.event.id);
      expect(second && textOf(second)).toBe('m0');
      await eventually(async () => expect(await harness.backlog()).toBe(0));
      expect(await harness.deadLettered()).toHaveLength(0);
    },
  },
  {
    id: 'S2.1',
    promise: 'retry loses nothing: the message stays where it came from',
    needs: ['settles'],
    async run({ harness, source, eventually }) {
      const probe = handlerProbe(inTurn(() => retry));
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.messages.length).toBeGreaterThan(0));
      await harness.quiet();
      expect(await harness.backlog()).toBe(1);
      expect(await harness.deadLettered()).toHaveLength(0);
    },
  },
  {
    id: 'S3',
    promise: 'dead-letter moves a message once, with its body, its attributes and the cause, and it never comes back',
    needs: ['deadLetters'],
    async run({ harness, source, eventually }) {
      const probe = handlerProbe(inTurn(() => deadLetter));
      await source.start(probe.handler);
      const attributes = new Map([['Tenant-Id', 'T1']]);
      await harness.publish({ payload: Uint8Array.of(0, 255, 1), attributes });
      await eventually(async () => {
        expect(await harness.deadLettered()).toHaveLength(1);
        expect(await harness.backlog()).toBe(0);
      });
      await harness.quiet();
      expect(probe.messages).toHaveLength(1);
      const letters = await harness.deadLettered();
      expect(letters).toHaveLength(1);
      expect(letters[0] && [...letters[0].payload]).toEqual([0, 255, 1]);
      expect(letters[0]?.attributes.get('Tenant-Id')).toBe('T1');
      const { cause } = deadLetter as Extract<Settlement, { kind: 'dead-letter' }>;
      expect([...(letters[0]?.attributes.values() ?? [])]).toContain(cause);
    },
  },
  {
    id: 'S4',
    promise: 'as many messages as the limit are in flight, and never more',
    async run({ harness, source, eventually }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      const count = harness.inFlightMax + 3;
      for (let index = 0; index < count; index += 1) {
        await harness.publish({ payload: bytesOf(`m${index}`), key: `k${index}` });
      }
      await eventually(() => expect(probe.running).toBe(harness.inFlightMax));
      await harness.quiet();
      release();
      if (source.traits.redelivers) await eventually(() => expect(probe.messages).toHaveLength(count));
      expect(probe.runningMax).toBe(harness.inFlightMax);
    },
  },
  {
    id: 'S7',
    promise: 'messages of one key keep their order, also across a retry',
    needs: ['ordered', 'redelivers'],
    async run({ harness, source, eventually }) {
      let retried = false;
      const probe = handlerProbe((message) => {
        if (retried || textOf(message) !== 'm1') return accept;
        retried = true;
        return retry;
      });
      await source.start(probe.handler);
      for (let index = 0; index < 6; index += 1) {
        await harness.publish({ payload: bytesOf(`m${index}`), key: 'k' });
      }
      const order = ['m0', 'm1', 'm1', 'm2', 'm3', 'm4', 'm5'];
      await eventually(() => expect(probe.messages.map(textOf)).toEqual(order));
    },
  },
  {
    id: 'S16',
    promise: 'a handler that throws never accepts a message',
    needs: ['settles'],
    async run({ harness, source, observer, eventually }) {
      const probe = handlerProbe(inTurn(fails));
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => {
        expect(probe.messages.length).toBeGreaterThan(0);
        expect(observer.of('source-fault')).not.toHaveLength(0);
      });
      await harness.quiet();
      expect(await harness.backlog()).toBe(1);
      expect(await harness.deadLettered()).toHaveLength(0);
    },
  },
  {
    id: 'S16.1',
    promise: 'a message whose handler throws comes back, and the source goes on',
    needs: ['redelivers'],
    async run({ harness, source, eventually }) {
      const probe = handlerProbe(
        inTurn(
          fails,
          () => accept,
          () => accept,
        ),
      );
      let thrown = false;
      await source.start((message) => {
        // The second way to fail: before there is a promise.
        if (!thrown && textOf(message) === 'm1') {
          thrown = true;
          fails();
        }
        return probe.handler(message);
      });
      await harness.publish({ payload: bytesOf('m0'), key: 'a' });
      await eventually(async () => expect(await harness.backlog()).toBe(0));
      await harness.publish({ payload: bytesOf('m1'), key: 'a' });
      await eventually(async () => {
        expect(probe.messages.map(textOf)).toEqual(['m0', 'm0', 'm1']);
        expect(await harness.backlog()).toBe(0);
      });
    },
  },
  {
    id: 'S20',
    promise: 'a handler slower than the lease gets its message once',
    async run({ harness, source, eventually }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.running).toBe(1));
      await harness.quiet();
      expect(probe.messages).toHaveLength(1);
      release();
      await eventually(async () => expect(await harness.backlog()).toBe(0));
      await harness.quiet();
      expect(probe.messages).toHaveLength(1);
    },
  },
];
