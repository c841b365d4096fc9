import { Client } from './client.ts';
import type { ClientSpec } from './client-spec.ts';
import { openings } from './openings.ts';
import { agesIn } from './sent-at.ts';

const openAtOnceMax = 100;
const samplersMax = 200;
const openMsMax = 60_000;

/** All clients of one server, what they were owed and what they have got. */
export class Crowd {
  readonly #spec: ClientSpec;
  readonly #owed: Uint32Array;
  readonly #got: Uint32Array;
  readonly #clients: Client[] = [];
  #received = 0;
  #bytes = 0;
  #target = Number.POSITIVE_INFINITY;
  #reached = Promise.withResolvers<void>();
  #fault: Error | undefined;
  #ages: number[] = [];

  constructor(spec: ClientSpec, size: number) {
    this.#spec = spec;
    this.#owed = new Uint32Array(size);
    this.#got = new Uint32Array(size);
  }

  get size(): number {
    return this.#owed.length;
  }

  /** How many events all of them have got. */
  get received(): number {
    return this.#received;
  }

  /** Opens clients up to `count`, a bounded number of them at once. Rejects with the first that is refused. */
  async open(count = this.size): Promise<void> {
    const limit = AbortSignal.timeout(openMsMax);
    const openOne = async (): Promise<void> => {
      while (this.#clients.length < count) {
        limit.throwIfAborted();
        await this.#add(this.#clients.length);
      }
    };
    await Promise.all(Array.from({ length: openAtOnceMax }, openOne));
  }

  #add(index: number): Promise<void> {
    const every = Math.ceil(this.size / samplersMax);
    const listen =
      index % every === 0 ? (chunk: Buffer) => agesIn(chunk, (micros) => this.#ages.push(micros)) : undefined;
    const client = new Client(index, this.#spec.port, openings[this.#spec.kind](this.#spec, index), {
      count: (at, events) => this.#count(at, events),
      measure: (bytes) => {
        this.#bytes += bytes;
      },
      listen,
      lost: (at, reason) => this.#fail(new Error(`client ${at} was lost: ${reason}`)),
    });
    this.#clients.push(client);
    return client.opened;
  }

  #count(index: number, events: number): void {
    this.#got[index] = (this.#got[index] ?? 0) + events;
    this.#received += events;
    if (this.#received >= this.#target) this.#reached.resolve();
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#reached.resolve();
  }

  /** One more event is owed to the clients from `first` to before `end`. */
  owe(first: number, end: number): void {
    for (let index = first; index < end; index += 1) this.#owed[index] = (this.#owed[index] ?? 0) + 1;
  }

  /** Resolves once so many events have come since the last `begin`. */
  async until(received: number, msMax: number): Promise<void> {
    if (this.#fault) throw this.#fault;
    if (this.#received >= received) return;
    this.#target = received;
    this.#reached = Promise.withResolvers();
    const late = setTimeout(
      () => this.#fail(new Error(`${received - this.#received} of ${received} events were missing after ${msMax} ms`)),
      msMax,
    );
    await this.#reached.promise;
    clearTimeout(late);
    this.#target = Number.POSITIVE_INFINITY;
    if (this.#fault) throw this.#fault;
  }

  /** Forgets what was owed and got. */
  begin(): void {
    this.#owed.fill(0);
    this.#got.fill(0);
    this.#received = 0;
    this.#bytes = 0;
    this.#ages = [];
    this.#fault = undefined;
  }

  /** Bytes of the WebSocket frames that they came in. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ages of the events that some of the clients have got (µs). */
  get ages(): readonly number[] {
    return this.#ages;
  }

  /** Throws unless everybody has got exactly what it was owed. */
  check(): void {
    const wrong = this.#owed.findIndex((owed, index) => owed !== this.#got[index]);
    if (wrong >= 0) throw new Error(`client ${wrong} got ${this.#got[wrong]} of ${this.#owed[wrong]} events`);
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#clients.length = 0;
  }
}
