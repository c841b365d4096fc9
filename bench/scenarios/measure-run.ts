import { setTimeout as pause } from 'node:timers/promises';
import type { BacklogSpec, RunReport, RunSpec } from '../load/run-spec.ts';
import type { ProcessorTime } from '../measure/server-use.ts';
import type { Stand } from './stand.ts';

/** What one run has cost the server, by name. */
export type RunFigures = Readonly<Record<string, number>>;

/** How one run is made. */
export type Measure = (stand: Stand) => Promise<RunFigures>;

/** Runs the load once, and reads the server's processor time before and after. */
export async function measureRun({ peer, load }: Stand, spec: RunSpec): Promise<RunFigures> {
  const before = await peer.processorTime();
  const report = await load.run(spec);
  return figuresOf(report, before, await peer.processorTime());
}

/**
 * Stops the server, fills its queue in the broker, and lets it go on: what is measured is the server at its own speed,
 * without the publisher.
 */
export async function measureBacklog(stand: Stand, spec: BacklogSpec): Promise<RunFigures> {
  const { peer, load } = stand;
  const before = await peer.processorTime();
  const consumedBefore = (await peer.consumed?.()) ?? 0;
  process.kill(peer.pid, 'SIGSTOP');
  try {
    await load.fill(spec);
    const report = peer.consumed
      ? await drainBare(peer.pid, peer.consumed, consumedBefore + spec.events, spec)
      : await load.drain(peer.pid);
    return figuresOf(report, before, await peer.processorTime());
  } finally {
    process.kill(peer.pid, 'SIGCONT');
  }
}

const bareMsMax = 30_000;
const pollMs = 20;

/** A consumer without clients is asked now and then how far it is. */
async function drainBare(
  pid: number,
  consumed: () => Promise<number>,
  until: number,
  { events }: BacklogSpec,
): Promise<RunReport> {
  const begin = performance.now();
  process.kill(pid, 'SIGCONT');
  while ((await consumed()) < until) {
    if (performance.now() - begin > bareMsMax) throw new Error(`not all was consumed in ${bareMsMax} ms`);
    await pause(pollMs);
  }
  const none = { p50: NaN, p99: NaN, p999: NaN, samples: 0 };
  return { events, deliveries: events, elapsedMs: performance.now() - begin, frameBytes: NaN, latency: none };
}

function figuresOf(report: RunReport, before: ProcessorTime, after: ProcessorTime): RunFigures {
  const { deliveries, events, elapsedMs, frameBytes, latency } = report;
  const total = after.totalMicros - before.totalMicros;
  return {
    cpuMicros: total / deliveries,
    userMicros: (after.userMicros - before.userMicros) / deliveries,
    systemMicros: (after.systemMicros - before.systemMicros) / deliveries,
    cpuMicrosPerEvent: total / events,
    perSecond: (deliveries * 1000) / elapsedMs,
    eventsPerSecond: (events * 1000) / elapsedMs,
    frameBytes,
    p50Ms: latency.p50 / 1000,
    p99Ms: latency.p99 / 1000,
    p999Ms: latency.p999 / 1000,
  };
}
