/** Ids that have come before, the newest of them: a broker may deliver twice. */
export class SeenIds {
  readonly #max: number;
  readonly #ids = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** False when it has. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.#max) for (const oldest of this.#ids) return this.#ids.delete(oldest);
    return true;
  }
}
