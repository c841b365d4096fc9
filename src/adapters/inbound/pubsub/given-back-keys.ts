/** How long a message that was given back is waited for. It may have gone to another process. */
const awaitedMsMax = 10_000;

/** More keys than this are not kept apart, and more messages of one key wait without a place. */
const keysMax = 1000;
const idsMax = 1000;

type Awaited = { ids: string[]; until: number };

/**
 * Keys of which messages were given back, and the order in which these are to come again. A broker brings successors
 * before that: those that were on their way, and an emulator brings others as well.
 */
export class GivenBackKeys {
  readonly #awaited = new Map<string, Awaited>();

  /** @param ids in order; they stand before what is awaited of this key already. */
  expect(key: string, ids: readonly string[], now: number): void {
    const before = this.#awaited.get(key)?.ids.filter((id) => !ids.includes(id)) ?? [];
    this.#awaited.delete(key);
    this.#awaited.set(key, { ids: [...ids, ...before].slice(0, idsMax), until: now + awaitedMsMax });
    for (const oldest of this.#awaited.keys()) {
      if (this.#awaited.size <= keysMax) break;
      this.#awaited.delete(oldest);
    }
  }

  /** Whether it is this message's turn; one whose turn it is not is expected behind the others. */
  admits(key: string, id: string, now: number): boolean {
    const awaited = this.#awaited.get(key);
    if (!awaited) return true;
    const { ids, until } = awaited;
    if (now < until && ids[0] !== id) {
      if (ids.length < idsMax && !ids.includes(id)) ids.push(id);
      return false;
    }
    ids.shift();
    awaited.until = now + awaitedMsMax;
    if (now >= until || ids.length === 0) this.#awaited.delete(key);
    return true;
  }
}
