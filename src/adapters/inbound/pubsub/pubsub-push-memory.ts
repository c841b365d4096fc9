type Known = { readonly attempts: number; readonly isDone: boolean };

/** What a push source knows of messages that will be pushed again. The oldest is forgotten first. */
export class PushMemory {
  readonly #sizeMax: number;
  readonly #known = new Map<string, Known>();
  #done = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** Whether there are messages that are done while Pub/Sub does not know. */
  get hasDone(): boolean {
    return this.#done > 0;
  }

  /** How often a message was handed over before. */
  attempts(key: string): number {
    return this.#known.get(key)?.attempts ?? 0;
  }

  isDone(key: string): boolean {
    return this.#known.get(key)?.isDone ?? false;
  }

  givenBack(key: string, attempts: number): void {
    this.#remember(key, { attempts, isDone: false });
  }

  /** It is done, and nobody was there to be told. */
  done(key: string, attempts: number): void {
    this.#remember(key, { attempts, isDone: true });
  }

  /** It will not be pushed again. */
  forget(key: string): void {
    if (this.isDone(key)) this.#done -= 1;
    this.#known.delete(key);
  }

  #remember(key: string, known: Known): void {
    this.forget(key);
    if (known.isDone) this.#done += 1;
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > this.#sizeMax) this.forget(oldest);
  }
}
