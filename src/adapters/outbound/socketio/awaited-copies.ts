import type { Origin, SpacesPeer } from './spaces-subscription.ts';

const copiesMax = 20_000;
const bytesMax = 16 * 1024 * 1024;

type Awaited = { readonly origin: Origin; readonly bytes: number };

/**
 * Events that were published and will come back, with what is for their sender alone. Those that never come make room
 * for others, oldest first.
 */
export class AwaitedCopies {
  readonly #copies = new Map<string, Awaited>();
  readonly #ids = new Map<SpacesPeer, Set<string>>();
  #bytes = 0;
  #onEmpty: (() => void)[] = [];

  /** @param bytes what is kept for it takes, roughly. */
  add(id: string, origin: Origin, bytes: number): void {
    this.#copies.set(id, { origin, bytes });
    const { peer } = origin.subscription;
    const ids = this.#ids.get(peer) ?? new Set();
    this.#ids.set(peer, ids.add(id));
    this.#bytes += bytes;
    for (const oldest of this.#copies.keys()) {
      if (this.#copies.size <= copiesMax && this.#bytes <= bytesMax) return;
      this.take(oldest);
    }
  }

  /** It has gone, so that nothing is for it any more. */
  forget(peer: SpacesPeer): void {
    for (const id of this.#ids.get(peer) ?? []) this.take(id);
  }

  /** Resolves when none is awaited. */
  emptied(): Promise<void> {
    if (this.#copies.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  take(id: string): Origin | undefined {
    const awaited = this.#copies.get(id);
    if (!awaited) return undefined;
    this.#copies.delete(id);
    this.#bytes -= awaited.bytes;
    const { peer } = awaited.origin.subscription;
    const ids = this.#ids.get(peer);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(peer);
    if (this.#copies.size === 0) for (const told of this.#onEmpty.splice(0)) told();
    return awaited.origin;
  }
}
