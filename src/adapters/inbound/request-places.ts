/** How many requests are under way, and how many bytes their bodies have together. */
export class RequestPlaces {
  readonly #requestsMax: number;
  readonly #bytesMax: number;
  #requests = 0;
  #bytes = 0;

  constructor(requestsMax: number, bytesMax: number) {
    this.#requestsMax = requestsMax;
    this.#bytesMax = bytesMax;
  }

  /** @returns what gives the place back, to be called once; nothing when there is none. A first request always has one. */
  take(bytes: number): (() => void) | undefined {
    const isFull = this.#requests >= this.#requestsMax || this.#bytes + bytes > this.#bytesMax;
    if (isFull && this.#requests > 0) return undefined;
    this.#requests += 1;
    this.#bytes += bytes;
    return () => {
      this.#requests -= 1;
      this.#bytes -= bytes;
    };
  }
}
