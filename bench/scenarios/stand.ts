import type { RunReport, RunSpec } from '../load/run-spec.ts';
import { type LoadProcess, startLoad } from '../measure/load-process.ts';
import type { Peer, PeerKind, PeerSettings } from '../peers/peer.ts';

/** A peer with its clients, as long as it works. */
export type Stand = AsyncDisposable & { readonly peer: Peer; readonly load: LoadProcess };

/** Starts a server and opens its clients. */
export async function openStand(kind: PeerKind, settings: PeerSettings, clients: number): Promise<Stand> {
  await using opened = new AsyncDisposableStack();
  const peer = opened.use(await kind.start(settings));
  const load = opened.use(await startLoad(kind.name));
  await load.publishTo(peer.publisher);
  if (clients > 0) await load.open(peer.clients, clients);
  const kept = opened.move();
  return { peer, load, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What one run has cost the server, by name. */
export type RunFigures = Readonly<Record<string, number>>;

/** Runs the load once, and reads the server's processor time before and after. */
export async function measureRun({ peer, load }: Stand, spec: RunSpec): Promise<RunFigures> {
  const before = await peer.processorTime();
  const report: RunReport = await load.run(spec);
  const after = await peer.processorTime();
  const { deliveries, events, elapsedMs, latency } = report;
  const total = after.totalMicros - before.totalMicros;
  return {
    cpuMicros: total / deliveries,
    userMicros: (after.userMicros - before.userMicros) / deliveries,
    systemMicros: (after.systemMicros - before.systemMicros) / deliveries,
    cpuMicrosPerEvent: total / events,
    perSecond: (deliveries * 1000) / elapsedMs,
    // What one core could do if it did nothing else.
    perCoreSecond: (deliveries * 1_000_000) / total,
    p50Ms: latency.p50 / 1000,
    p99Ms: latency.p99 / 1000,
    p999Ms: latency.p999 / 1000,
  };
}
