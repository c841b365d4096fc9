/** Ids of messages have some 20 characters, so this is a megabyte or two. */
const rememberedMax = 10_000;

/** What is known of messages of one subscription that were given back and may come again. The oldest are forgotten. */
export class RedeliveryMemory {
  readonly #attempts = new Map<string, number>();
  readonly #condemned = new Set<string>();

  /**
   * How often a message has been offered.
   * @param counted by the broker, from 1; 0 where it does not count.
   */
  attempt(id: string, counted: number): number {
    return counted > 0 ? counted : (this.#attempts.get(id) ?? 0) + 1;
  }

  givenBack(id: string, attempt: number): void {
    this.#attempts.delete(id);
    this.#attempts.set(id, attempt);
    if (this.#attempts.size > rememberedMax) this.#attempts.delete(firstOf(this.#attempts.keys()));
  }

  /** The broker is to move it: the handler has seen enough of it. */
  condemn(id: string): void {
    this.#condemned.add(id);
    if (this.#condemned.size > rememberedMax) this.#condemned.delete(firstOf(this.#condemned));
  }

  isCondemned(id: string): boolean {
    return this.#condemned.has(id);
  }

  settled(id: string): void {
    this.#attempts.delete(id);
  }
}

function firstOf(ids: Iterable<string>): string {
  for (const id of ids) return id;
  return '';
}
