import { expect } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import type { Clause } from './clause.ts';
import { handlerProbe, holdingProbe } from './handler-probe.ts';
import { bytesOf, outcomeOf, textOf } from './test-data.ts';

/** A start that fails says so while somebody is still looking. */
const startRejectsWithinMs = 5000;

/** Trouble between a source and its broker. */
export const faultClauses: readonly Clause[] = [
  {
    id: 'S8.1',
    promise: 'what is published while the connection is cut arrives once it is back',
    needs: ['redelivers', 'survivesReconnect', 'cutConnection'],
    async run({ harness, source, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      const cut = await harness.faults?.cutConnection?.();
      await eventually(() => expect(source.state.kind).not.toBe('consuming'));
      await harness.publish({ payload: bytesOf('m0') });
      await cut?.restore();
      // A broker that has not noticed the cut may have sent it where nobody is, under a lease that must end first.
      await harness.quiet();
      await eventually(() => {
        expect(source.state.kind).toBe('consuming');
        expect(probe.messages.map(textOf)).toContain('m0');
      });
      await eventually(async () => expect(await harness.backlog()).toBe(0));
    },
  },
  {
    id: 'S8.2',
    promise: 'a connection that is cut leads back to consuming, and what is published from then on arrives',
    needs: ['cutConnection'],
    async run({ harness, source, observer, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      const cut = await harness.faults?.cutConnection?.();
      await eventually(() => {
        expect(source.state.kind).not.toBe('consuming');
        expect(observer.of('source-fault')).not.toHaveLength(0);
      });
      await cut?.restore();
      await eventually(() => expect(source.state.kind).toBe('consuming'));
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0']));
    },
  },
  {
    id: 'S9',
    promise:
      'a connection cut under a running handler: its late settlement is harmless, or counts where the lease goes on',
    needs: ['redelivers', 'cutConnection'],
    async run({ harness, source, eventually }) {
      const late = holdingProbe();
      const probe = handlerProbe();
      let first = true;
      await source.start((message) => {
        if (!first) return probe.handler(message);
        first = false;
        return late.probe.handler(message);
      });
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(late.probe.running).toBe(1));
      const cut = await harness.faults?.cutConnection?.();
      late.release();
      await cut?.restore();
      const again = source.traits.leaseOutlivesConnection ? [] : ['m0'];
      await eventually(() => expect(probe.messages.map(textOf)).toEqual(again));
      await eventually(async () => expect(await harness.backlog()).toBe(0));
      await harness.quiet();
      expect(probe.messages.map(textOf)).toEqual(again);
    },
  },
  {
    id: 'S10',
    promise: 'a channel that the broker closes is opened again, and the observer is told',
    needs: ['closeChannel'],
    async run({ harness, source, observer, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      await harness.faults?.closeChannel?.();
      await eventually(() => expect(observer.of('source-fault')).not.toHaveLength(0));
      await eventually(() => expect(source.state.kind).toBe('consuming'));
      await harness.publish({ payload: bytesOf('m0') });
      await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0']));
    },
  },
  {
    id: 'S11',
    promise: 'a source whose queue is deleted does not go on saying that it consumes, and the observer is told',
    needs: ['deleteQueue'],
    async run({ harness, source, observer, eventually }) {
      await source.start(handlerProbe().handler);
      await harness.faults?.deleteQueue?.();
      await eventually(() => {
        expect(source.state.kind).not.toBe('consuming');
        expect(observer.of('source-fault')).not.toHaveLength(0);
        expect(observer.of('source-state').at(-1)?.state.kind).not.toBe('consuming');
      });
    },
  },
  {
    id: 'S15',
    promise: 'a start without its queue fails soon with a fault that names it',
    needs: ['missingTopology'],
    async run({ harness }) {
      const { source, missing } = harness.faults?.missingTopology?.() ?? {};
      const begin = performance.now();
      const outcome = await outcomeOf(source?.start(handlerProbe().handler));
      expect(outcome).toEqual({ rejected: expect.any(Fault) });
      expect(outcome).toHaveProperty('rejected.message', expect.stringContaining(missing ?? 'no fault'));
      expect(performance.now() - begin).toBeLessThan(startRejectsWithinMs);
      expect(source?.state.kind).not.toBe('consuming');
    },
  },
];
