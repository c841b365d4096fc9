import { type LoadProcess, startLoad } from '../measure/load-process.ts';
import type { Peer, PeerKind, PeerSettings } from '../peers/peer.ts';

/** A peer with its clients, as long as it works. */
export type Stand = AsyncDisposable & { readonly peer: Peer; readonly load: LoadProcess };

/** Starts a server and opens its clients; one without clients of its own is taken as if it had them. */
export async function openStand(kind: PeerKind, settings: PeerSettings, clients: number): Promise<Stand> {
  await using opened = new AsyncDisposableStack();
  const peer = opened.use(await kind.start(settings));
  const load = opened.use(await startLoad(kind.name));
  await load.publishTo(peer.publisher);
  await load.open(peer.clients, peer.consumed ? 0 : clients, clients);
  const kept = opened.move();
  return { peer, load, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
