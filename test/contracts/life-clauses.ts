import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import type { Clause } from './clause.ts';
import { accept, deadLetter, handlerProbe, holdingProbe, retry } from './handler-probe.ts';
import { bytesOf, neverAborts, outcomeOf, textOf } from './test-data.ts';

/** Start, pause, drain, and what is left afterwards. */
export const lifeClauses: readonly Clause[] = [
  {
    id: 'S8',
    promise: 'what is published while nobody consumes waits for the next source',
    needs: ['redelivers', 'inheritsBacklog'],
    async run({ harness, source, eventually, soon }) {
      const first = handlerProbe();
      await harness.publish({ payload: bytesOf('before'), key: 'a' });
      await source.start(first.handler);
      await eventually(async () => {
        expect(first.messages.map(textOf)).toEqual(['before']);
        expect(await harness.backlog()).toBe(0);
      });
      await soon(source.drain(neverAborts()));
      const second = handlerProbe();
      const secondSource = harness.secondSource();
      await harness.publish({ payload: bytesOf('between'), key: 'a' });
      await secondSource.start(second.handler);
      await eventually(() => expect(second.messages.map(textOf)).toEqual(['between']));
      expect(first.messages).toHaveLength(1);
    },
  },
  {
    id: 'S12',
    promise: 'drain takes nothing new, lets handlers finish and settles them; nothing comes twice',
    async run({ harness, source, eventually, soon }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0'), key: 'a' });
      await harness.publish({ payload: bytesOf('m1'), key: 'b' });
      await eventually(() => expect(probe.running).toBe(2));
      let drained = false;
      const drain = source.drain(neverAborts()).then((result) => {
        drained = true;
        return result;
      });
      await outcomeOf(harness.publish({ payload: bytesOf('m2'), key: 'c' }));
      await harness.quiet();
      expect(drained).toBe(false);
      expect(probe.messages).toHaveLength(2);
      release();
      expect(await outcomeOf(soon(drain))).toEqual({ resolved: { settled: 2, abandoned: 0 } });
      expect(source.state.kind).toBe('stopped');
      const second = handlerProbe();
      await harness.secondSource().start(second.handler);
      const { redelivers, keepsBacklog } = source.traits;
      const left = redelivers && keepsBacklog ? ['m2'] : [];
      await eventually(() => expect(second.messages.map(textOf)).toEqual(left));
      await harness.quiet();
      expect(second.messages.map(textOf)).toEqual(left);
      expect(probe.messages).toHaveLength(2);
    },
  },
  {
    id: 'S13',
    promise: 'drain past its deadline reports what it abandons, and a settlement that comes later changes nothing',
    async run({ harness, source, eventually, soon }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.running).toBe(1));
      const deadline = new AbortController();
      const drain = source.drain(deadline.signal);
      deadline.abort();
      expect(await outcomeOf(soon(drain))).toEqual({ resolved: { settled: 0, abandoned: 1 } });
      release();
      await harness.quiet();
      expect(await harness.backlog()).toBe(source.traits.inheritsBacklog ? 1 : 0);
      expect(source.state.kind).toBe('stopped');
    },
  },
  {
    id: 'S13.1',
    promise: 'what a drain abandons comes to the next source, which alone settles it',
    needs: ['redelivers', 'inheritsBacklog'],
    async run({ harness, source, eventually, soon }) {
      const late = holdingProbe();
      await source.start(late.probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(late.probe.running).toBe(1));
      expect(await outcomeOf(soon(source.drain(AbortSignal.abort())))).toEqual({
        resolved: { settled: 0, abandoned: 1 },
      });
      const next = holdingProbe();
      await harness.secondSource().start(next.probe.handler);
      await eventually(() => expect(next.probe.messages.map(textOf)).toEqual(['m0']));
      late.release();
      await harness.quiet();
      expect(await harness.backlog()).toBe(1);
      next.release();
      await eventually(async () => expect(await harness.backlog()).toBe(0));
    },
  },
  {
    id: 'S14',
    promise: 'drain has one result, however often and at whatever time it is called',
    async run({ harness, source, eventually, soon }) {
      const { probe, release } = holdingProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.running).toBe(1));
      const drains = Promise.all([source.drain(neverAborts()), source.drain(neverAborts())]);
      release();
      const result = { settled: 1, abandoned: 0 };
      expect(await outcomeOf(soon(drains))).toEqual({ resolved: [result, result] });
      expect(await outcomeOf(soon(source.drain(AbortSignal.abort())))).toEqual({ resolved: result });
    },
  },
  {
    id: 'S14.1',
    promise: 'a source has one life: drained before it was started it stays so, and it is started once',
    async run({ harness, source, soon }) {
      expect(await outcomeOf(soon(source.drain(neverAborts())))).toEqual({ resolved: { settled: 0, abandoned: 0 } });
      expect(await outcomeOf(soon(source.start(handlerProbe().handler)))).toEqual({ rejected: expect.any(Fault) });
      const second = harness.secondSource();
      await second.start(handlerProbe().handler);
      expect(await outcomeOf(soon(second.start(handlerProbe().handler)))).toEqual({ rejected: expect.any(Fault) });
    },
  },
  {
    id: 'S18',
    promise: 'no password, token, body or attribute value is in an error, a state or an observation',
    async run({ harness, source, observer, eventually, soon }) {
      const told: unknown[] = [];
      const answers = [() => Promise.reject(new Error('fails')), async () => retry, async () => deadLetter];
      const probe = handlerProbe(() => (answers.shift() ?? (async () => accept))());
      await source.start(probe.handler);
      const secrets = [...harness.secrets, 'the-body-is-secret', 'the-value-is-secret'];
      const attributes = new Map([['name', 'the-value-is-secret']]);
      for (const key of ['a', 'b', 'c']) {
        await harness.publish({ payload: bytesOf('the-body-is-secret'), attributes, key });
      }
      await eventually(() => expect(probe.messages.length).toBeGreaterThanOrEqual(3));
      told.push(source.state);
      await source.start(probe.handler).catch((error: unknown) => told.push(error));
      await soon(source.drain(neverAborts()));
      await source.start(probe.handler).catch((error: unknown) => told.push(error));
      told.push(source.state, observer.observations);
      expect(observer.observations.length).toBeGreaterThan(0);
      const text = inspect(told, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null });
      for (const secret of secrets) expect(text).not.toContain(secret);
    },
  },
  {
    id: 'S19',
    promise: 'after a drain no timer, socket or listener of the source is left',
    alone: true,
    async run({ harness, source, clock, eventually, soon }) {
      const before = await lastingResources();
      const probe = handlerProbe(({ attempt }) => (attempt === 1 ? retry : accept));
      await source.start(probe.handler);
      for (const key of ['a', 'b', 'c']) await harness.publish({ payload: bytesOf('m'), key });
      await eventually(() => expect(probe.messages.length).toBeGreaterThanOrEqual(3));
      const deadline = neverAborts();
      await soon(source.drain(deadline));
      await eventually(() => {
        expect(clock.pending).toBe(0);
        for (const [kind, count] of countResources()) {
          expect(count, `open handles of the kind ${kind}`).toBeLessThanOrEqual(before.get(kind) ?? 0);
        }
      });
      expect(getEventListeners(deadline, 'abort')).toHaveLength(0);
    },
  },
  {
    id: 'S21',
    promise: 'pause holds intake back and says why, what is in hand is settled, resume lets it go on',
    async run({ harness, source, eventually }) {
      const first = holdingProbe();
      const probe = handlerProbe();
      await source.start((message) =>
        textOf(message) === 'm0' ? first.probe.handler(message) : probe.handler(message),
      );
      await harness.publish({ payload: bytesOf('m0'), key: 'a' });
      await eventually(() => expect(first.probe.running).toBe(1));
      source.pause('too many bytes are queued');
      await eventually(() => expect(source.state).toEqual({ kind: 'paused', reason: 'too many bytes are queued' }));
      await harness.publish({ payload: bytesOf('m1'), key: 'b' });
      await harness.quiet();
      expect(probe.messages).toHaveLength(0);
      first.release();
      if (source.traits.settles) await eventually(async () => expect(await harness.backlog()).toBe(1));
      source.resume();
      await eventually(() => expect(source.state.kind).toBe('consuming'));
      const { redelivers, settles } = source.traits;
      if (!redelivers && settles) await harness.publish({ payload: bytesOf('m1'), key: 'b' });
      await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m1']));
    },
  },
  {
    id: 'S23',
    promise: 'start resolves once the source consumes, and every state on the way is observed',
    async run({ source, observer, soon }) {
      expect(source.state.kind).toBe('stopped');
      await source.start(handlerProbe().handler);
      expect(source.state.kind).toBe('consuming');
      await soon(source.drain(neverAborts()));
      expect(source.state.kind).toBe('stopped');
      const states = observer.of('source-state').filter((each) => each.source === source.name);
      const kinds = states.map(({ state }) => state.kind);
      expect(kinds).toEqual(['starting', 'consuming', 'draining', 'stopped']);
    },
  },
];

/** What keeps the process alive, by kind. */
function countResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** The least of several looks: timers of the test runner come and go, and one of them must not excuse a leak. */
async function lastingResources(): Promise<ReadonlyMap<string, number>> {
  let lasting = countResources();
  for (let look = 0; look < 20; look += 1) {
    await wait(10);
    const now = countResources();
    lasting = new Map([...lasting].map(([kind, count]) => [kind, Math.min(count, now.get(kind) ?? 0)]));
  }
  return lasting;
}
