import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../measure/statistics.ts';
import type { Crowd } from './crowd.ts';
import type { Outgoing, Publisher, Target } from './publisher.ts';
import type { RunReport, RunSpec } from './run-spec.ts';
import { stampedPayload } from './sent-at.ts';

const missingAfterMs = 15_000;

/** Publishes, waits until everybody has got what it is owed, and throws where anybody got anything else. */
export async function run(crowd: Crowd, publisher: Publisher, spec: RunSpec): Promise<RunReport> {
  crowd.begin();
  const audience = new Audience(crowd, spec);
  const begin = performance.now();
  const next = (): Outgoing[] => Array.from({ length: spec.burst }, () => audience.nextEvent());
  const isOver = (): boolean =>
    audience.events >= spec.eventsMax || (audience.events >= spec.eventsMin && performance.now() - begin >= spec.ms);
  while (!isOver()) {
    if (spec.perSecond !== undefined) await untilDue(begin + (audience.events * 1000) / spec.perSecond);
    await publisher.publish(next());
    if (spec.perSecond === undefined)
      await crowd.until(audience.deliveriesBefore(spec.window - spec.burst), missingAfterMs);
  }
  await crowd.until(audience.deliveries, missingAfterMs);
  const elapsedMs = performance.now() - begin;
  // What comes too much comes late.
  await pause(5);
  crowd.check();
  return { events: audience.events, deliveries: audience.deliveries, elapsedMs, latency: latencyOf(crowd.ages) };
}

async function untilDue(due: number): Promise<void> {
  const ms = due - performance.now();
  if (ms > 0) await pause(ms);
}

/** Whose turn it is, and what everybody is owed. */
class Audience {
  readonly #crowd: Crowd;
  readonly #spec: RunSpec;
  readonly #share: number;
  events = 0;

  constructor(crowd: Crowd, spec: RunSpec) {
    this.#crowd = crowd;
    this.#spec = spec;
    this.#share = spec.to === 'all' ? crowd.size : spec.to === 'each' ? 1 : (spec.groupSize ?? 10);
  }

  get deliveries(): number {
    return this.events * this.#share;
  }

  /** What must have come so that only so many events are on their way. */
  deliveriesBefore(onTheirWay: number): number {
    return Math.max(0, this.events - onTheirWay) * this.#share;
  }

  nextEvent(): Outgoing {
    const { payloadBytes } = this.#spec;
    const payload = stampedPayload(payloadBytes[this.events % payloadBytes.length] ?? 0);
    const target = this.#target();
    this.events += 1;
    return { target, payload };
  }

  #target(): Target {
    const { size } = this.#crowd;
    const places = Math.floor(size / this.#share);
    // A prime, so that neighbours are not served one after another.
    const id = (this.events * 7919) % places;
    this.#crowd.owe(id * this.#share, (id + 1) * this.#share);
    if (this.#spec.to === 'all') return { kind: 'all' };
    return { kind: this.#spec.to === 'each' ? 'client' : 'group', id };
  }
}

function latencyOf(ages: readonly number[]): RunReport['latency'] {
  const sorted = Float64Array.from(ages).sort();
  const at = (share: number): number => percentile(sorted, share);
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), samples: sorted.length };
}
