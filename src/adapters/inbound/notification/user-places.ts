/** How many things of each user are under way. */
export class UserPlaces {
  readonly #ofUserMax: number;
  readonly #taken = new Map<string, number>();

  constructor(ofUserMax: number) {
    this.#ofUserMax = ofUserMax;
  }

  /** @returns what gives the place back, to be called once; nothing when there is none. */
  take(userId: string): (() => void) | undefined {
    const taken = this.#taken.get(userId) ?? 0;
    if (taken >= this.#ofUserMax) return undefined;
    this.#taken.set(userId, taken + 1);
    return () => {
      const left = (this.#taken.get(userId) ?? 1) - 1;
      if (left > 0) this.#taken.set(userId, left);
      else this.#taken.delete(userId);
    };
  }
}
