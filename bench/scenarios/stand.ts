import type { RunSpec } from '../load/run-spec.ts';
import { type LoadProcess, startLoad } from '../measure/load-process.ts';
import type { Peer, PeerKind, PeerSettings } from '../peers/peer.ts';

/** A peer with its clients, as long as it works. */
export type Stand = AsyncDisposable & { readonly peer: Peer; readonly load: LoadProcess };

export type StandOptions = {
  /** What a few clients get before the others come, so that the compiler has seen all that one event costs. */
  readonly warmUp?: RunSpec;
};

const warmUpClients = 10;

/** Starts a server and opens its clients; one without clients of its own is taken as if it had them. */
export async function openStand(
  kind: PeerKind,
  settings: PeerSettings,
  clients: number,
  { warmUp }: StandOptions = {},
): Promise<Stand> {
  await using opened = new AsyncDisposableStack();
  const peer = opened.use(await kind.start(settings));
  const load = opened.use(await startLoad(kind.name));
  await load.publishTo(peer.publisher);
  if (warmUp) {
    await load.open(peer.clients, warmUpClients);
    await load.run(warmUp);
    await load.closeClients();
  }
  await load.open(peer.clients, peer.consumed ? 0 : clients, clients);
  const kept = opened.move();
  return { peer, load, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
