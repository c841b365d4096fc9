import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../measure/statistics.ts';
import { Audience } from './audience.ts';
import type { Crowd } from './crowd.ts';
import type { Publisher } from './publisher.ts';
import type { RunReport, RunSpec } from './run-spec.ts';

const missingAfterMs = 15_000;

/** Publishes, waits until everybody has got what it is owed, and throws where anybody got anything else. */
export async function run(crowd: Crowd, publisher: Publisher, spec: RunSpec): Promise<RunReport> {
  crowd.begin();
  const audience = new Audience(crowd, spec);
  const begin = performance.now();
  while (audience.events < spec.eventsMin || performance.now() - begin < spec.ms) {
    if (spec.perSecond !== undefined) await untilDue(begin + (audience.events * 1000) / spec.perSecond);
    await publisher.publish(audience.nextEvents(spec.burst));
    if (spec.perSecond === undefined) await crowd.until(audience.deliveries, missingAfterMs);
  }
  return finish(crowd, audience, begin);
}

/** Waits for the rest, and tells how it went since `begin`. */
export async function finish(crowd: Crowd, audience: Audience, begin: number): Promise<RunReport> {
  const { events, deliveries } = audience;
  await crowd.until(deliveries, missingAfterMs);
  const elapsedMs = performance.now() - begin;
  // What comes too much comes late.
  await pause(5);
  crowd.check();
  const frameBytes = crowd.bytes / deliveries;
  return { events, deliveries, elapsedMs, frameBytes, latency: latencyOf(crowd.ages) };
}

async function untilDue(due: number): Promise<void> {
  const ms = due - performance.now();
  if (ms > 0) await pause(ms);
}

function latencyOf(ages: readonly number[]): RunReport['latency'] {
  const sorted = Float64Array.from(ages).sort();
  const at = (share: number): number => percentile(sorted, share);
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), samples: sorted.length };
}
