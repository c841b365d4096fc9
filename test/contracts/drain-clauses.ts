import { expect } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import type { Clause } from './clause.ts';
import { handlerProbe, holdingProbe, retry } from './handler-probe.ts';
import { bytesOf, neverAborts, outcomeOf, textOf } from './test-data.ts';

/** The drain of a source that is its own broker: its backlog ends with the process, and nobody else has it. */
export const drainClauses: readonly Clause[] = [
  {
    id: 'S24',
    promise: 'drain hands over the backlog, as many messages at once as ever and each key in order',
    needs: ['holdsBacklog'],
    async run({ harness, source, eventually, soon }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      const keys = harness.inFlightMax + 1;
      const names = Array.from({ length: keys * 3 }, (_, index) => `${index % keys}-${Math.floor(index / keys)}`);
      for (const name of names) await harness.publish({ payload: bytesOf(name), key: name.charAt(0) });
      await eventually(() => expect(probe.running).toBe(harness.inFlightMax));
      const drain = source.drain(neverAborts());
      release();
      expect(await outcomeOf(soon(drain))).toEqual({ resolved: { settled: names.length, abandoned: 0 } });
      expect(probe.runningMax).toBe(harness.inFlightMax);
      expect(await harness.backlog()).toBe(0);
      const taken = probe.messages.map(textOf);
      expect(taken.toSorted()).toEqual(names.toSorted());
      for (let key = 0; key < keys; key += 1) {
        expect(taken.filter((name) => name.startsWith(`${key}-`))).toEqual([`${key}-0`, `${key}-1`, `${key}-2`]);
      }
    },
  },
  {
    id: 'S24.1',
    promise: 'drain hands over the backlog of a source that is paused',
    needs: ['holdsBacklog'],
    async run({ harness, source, soon }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      source.pause('too much is queued');
      for (const text of ['m0', 'm1']) await harness.publish({ payload: bytesOf(text) });
      expect(await outcomeOf(soon(source.drain(neverAborts())))).toEqual({ resolved: { settled: 2, abandoned: 0 } });
      expect(probe.messages.map(textOf)).toEqual(['m0', 'm1']);
    },
  },
  {
    id: 'S24.2',
    promise: 'what is published in a drain or after it is refused, to be published again later',
    needs: ['holdsBacklog', 'settles'],
    async run({ harness, source, eventually, soon }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.running).toBe(1));
      const refused = { rejected: expect.any(Fault) };
      const drain = source.drain(neverAborts());
      const during = await outcomeOf(harness.publish({ payload: bytesOf('during') }));
      release();
      expect(await outcomeOf(soon(drain))).toEqual({ resolved: { settled: 1, abandoned: 0 } });
      const after = await outcomeOf(harness.publish({ payload: bytesOf('after') }));
      for (const outcome of [during, after]) {
        expect(outcome).toEqual(refused);
        expect(outcome).toHaveProperty('rejected.disposition', 'retry');
      }
      expect(await harness.backlog()).toBe(0);
    },
  },
  {
    id: 'S24.3',
    promise: 'what was taken in a drain and is given back is not offered again in it, and is abandoned',
    needs: ['holdsBacklog', 'redelivers'],
    async run({ harness, source, soon }) {
      const probe = handlerProbe(() => retry);
      source.pause('too much is queued');
      await source.start(probe.handler);
      for (const key of ['a', 'b']) await harness.publish({ payload: bytesOf(key), key });
      expect(await outcomeOf(soon(source.drain(neverAborts())))).toEqual({ resolved: { settled: 0, abandoned: 2 } });
      expect(probe.messages.map(textOf)).toEqual(['a', 'b']);
    },
  },
  {
    id: 'S24.4',
    promise: 'what was in hand when a drain began and is given back is offered once more',
    needs: ['holdsBacklog', 'redelivers'],
    async run({ harness, source, eventually, soon }) {
      const first = holdingProbe(retry);
      const second = handlerProbe();
      await source.start((message) => (message.attempt === 1 ? first.probe : second).handler(message));
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(first.probe.running).toBe(1));
      const drain = source.drain(neverAborts());
      first.release();
      expect(await outcomeOf(soon(drain))).toEqual({ resolved: { settled: 1, abandoned: 0 } });
      expect(second.messages.map(textOf)).toEqual(['m0']);
    },
  },
  {
    id: 'S24.5',
    promise: 'drain past its deadline counts what it has not handed over as abandoned',
    needs: ['holdsBacklog'],
    async run({ harness, source, eventually, soon }) {
      const { probe } = holdingProbe();
      await source.start(probe.handler);
      const count = harness.inFlightMax + 2;
      for (let index = 0; index < count; index += 1) {
        await harness.publish({ payload: bytesOf(`m${index}`), key: `k${index}` });
      }
      await eventually(() => expect(probe.running).toBe(harness.inFlightMax));
      await harness.quiet();
      const deadline = new AbortController();
      const drain = source.drain(deadline.signal);
      deadline.abort();
      expect(await outcomeOf(soon(drain))).toEqual({ resolved: { settled: 0, abandoned: count } });
      expect(probe.messages).toHaveLength(harness.inFlightMax);
    },
  },
];
