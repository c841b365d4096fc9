import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { FrameRun } from '../frame-run.ts';
import type { Cut, FrameWriter } from '../frame-writer.ts';
import { RateLimit } from '../rate-limit.ts';
import type { SendQueue, SendQueues } from '../send-queue.ts';
import { textFrame } from '../text-frame.ts';
import type { PendingWrite } from '../write-frames.ts';
import type { EventFrames } from './event-frames.ts';
import { handshakeAnswer, handshakeCanceled, readHandshake } from './handshake.ts';
import { HubCalls } from './hub-calls.ts';
import type { HubMessage } from './hub-message.ts';
import type { CloseReason, HubProtocol, ProtocolName } from './hub-protocol.ts';
import { type FirstSubscription, HubSubscriptions, type SubscriptionHome } from './hub-subscriptions.ts';
import { RecordReader } from './record-reader.ts';
import type { SignalrSettings } from './signalr-settings.ts';

/** The WebSocket of a connection. */
export type HubSocket = {
  /** See `writeFrames`. */
  write(run: FrameRun, pending: PendingWrite): boolean;
  /** Closes it behind what is written. A client that does not answer is cut. */
  close(code: number): void;
  terminate(): void;
  /** Reads no more until `resume`, but what it has read already. */
  pause(): void;
  resume(): void;
};

/**
 * `greeting`: until the handshake is done, nothing else is sent. `closing`: only what it is owed still goes out. From
 * `ended` on nothing happens any more.
 */
type ConnectionState = 'greeting' | 'active' | 'closing' | 'ended';

/** What the connections of a hub share. */
export type HubHome = SubscriptionHome<HubConnection> & {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly queues: SendQueues;
  readonly protocols: ReadonlyMap<ProtocolName, HubProtocol>;
  /** How many connections are in which state. */
  readonly counts: Record<ConnectionState, number>;
  readonly settings: SignalrSettings;
  /** When connections were last looked at, which is often: reading the clock for every frame would cost more. */
  readonly lookedAt: { now: number };
};

/** Who it is, and until when. */
export type Admitted = FirstSubscription & { readonly closesAt?: number | undefined };

const normalClosure = 1000;
/** As long as ASP.NET waits for a client to take what it is owed (signalr-protocol 6). */
const closingMsMax = 5000;
/** What is heard of one client in a turn of the event loop; others come before the rest. */
const turnRecordsMax = 100;
const turnBytesMax = 131_072;
/** The one text that clients are told, whatever went wrong (signalr-protocol 4). */
const connectionError = 'Connection closed with an error.';

/** One WebSocket of a hub, from its opening to its end. It has no timer of its own: the hub looks at it regularly. */
export class HubConnection implements FrameWriter {
  readonly #socket: HubSocket;
  readonly #admitted: Admitted;
  readonly #home: HubHome;
  readonly #queue: SendQueue;
  readonly #reader: RecordReader;
  readonly #rate: RateLimit;
  #state: ConnectionState = 'greeting';
  /** Of the state it is in now. */
  #since: number;
  #protocol: HubProtocol | undefined;
  #calls: HubCalls<HubConnection> | undefined;
  #sentAt: number;
  /** From its first ping on (signalr-protocol 5). */
  #heardAt: number | undefined;
  /** Whether the rest of what it has said waits for another turn. */
  #isWaiting = false;

  constructor(socket: HubSocket, admitted: Admitted, home: HubHome) {
    this.#socket = socket;
    this.#admitted = admitted;
    this.#home = home;
    this.#queue = home.queues.open(this);
    this.#reader = new RecordReader(home.settings.recordBytesMax);
    this.#rate = new RateLimit(home.settings.recordsPerSecondMax, home.clock);
    this.#since = home.clock.now();
    this.#sentAt = this.#since;
    home.counts.greeting += 1;
  }

  is(state: ConnectionState): boolean {
    return this.#state === state;
  }

  /** What it is owed. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  receive(data: Buffer): void {
    if (this.#state !== 'greeting' && this.#state !== 'active') return;
    this.#reader.append(data);
    if (!this.#isWaiting) this.#listen();
  }

  /** Queues an event. False when it is closing, is cut for it, or speaks a protocol that cannot say it. */
  deliver(frames: EventFrames): boolean {
    const protocol = this.#protocol;
    if (this.#state !== 'active' || !protocol) return false;
    const streams = this.#calls?.streams;
    if (!streams || streams.size === 0) return this.#offer(frames.invocation(protocol));
    return [...streams].every((id) => this.#offer(frames.item(protocol, id)));
  }

  complete(id: string, error?: string): void {
    if (this.#state === 'active' && this.#protocol) this.#queue.push(this.#protocol.completion(id, error));
  }

  /** What has come due by now. */
  look(now: number): void {
    const { keepAliveMs, clientTimeoutMs, handshakeTimeoutMs } = this.#home.settings;
    const { closesAt } = this.#admitted;
    const isFor = (delayMs: number) => now - this.#since >= delayMs;
    if (this.#state === 'closing') {
      if (isFor(closingMsMax)) this.cut('closing_timeout');
    } else if (this.#state === 'greeting') {
      if (isFor(handshakeTimeoutMs)) this.#refuse(handshakeCanceled, 'handshake_timeout');
    } else if (closesAt !== undefined && now >= closesAt) {
      this.comeBack('token_expired');
    } else if (this.#heardAt !== undefined && now - this.#heardAt >= clientTimeoutMs) {
      this.comeBack('client_timeout', connectionError);
    } else if (this.#protocol && now - this.#sentAt >= keepAliveMs && this.#queue.bytes === 0) {
      this.#sentAt = now;
      this.#queue.push(this.#protocol.ping);
    }
  }

  /** Ends the connection behind what it is owed, so that its client comes back by itself. */
  comeBack(cause: string, error?: string): void {
    if (this.#state === 'active') this.#close({ error, allowReconnect: true }, cause);
    else if (this.#state === 'greeting') this.#finish(undefined, cause);
  }

  write(run: FrameRun, pending: PendingWrite): boolean {
    this.#sentAt = this.#home.lookedAt.now;
    return this.#socket.write(run, pending);
  }

  emptied(): void {
    if (this.#state === 'closing') this.#socket.close(normalClosure);
  }

  terminate({ cause, queuedBytes }: Cut): void {
    if (cause === 'slow') this.observeCut(queuedBytes);
    this.cut(cause === 'slow' ? 'slow_reader' : 'write_failed');
  }

  observeCut(queuedBytes: number): void {
    const { endpoint, observer } = this.#home;
    const { connection } = this.#admitted.session;
    observer.observe({ kind: 'connection-cut', endpoint, connection, queuedBytes });
  }

  /** Ends the connection without a word; stock clients come back from that, too. */
  cut(cause: string): void {
    this.end(cause);
    this.#socket.terminate();
  }

  /** The socket is closed, or about to be. Only the first call counts. */
  end(cause: string): void {
    if (this.#state === 'ended') return;
    this.#leave('ended', cause);
    this.#queue.close();
  }

  #isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'ended';
  }

  #listen(): void {
    let bytes = 0;
    for (let count = 0; count < turnRecordsMax && bytes < turnBytesMax; count += 1) {
      const record = this.#reader.next();
      if (record === undefined) return;
      bytes += record.length;
      this.#take(record);
      if (this.#isOver()) return;
    }
    this.#isWaiting = true;
    this.#socket.pause();
    setImmediate(() => {
      this.#isWaiting = false;
      // First, so that its end is seen whatever comes of the rest.
      this.#socket.resume();
      if (!this.#isOver()) this.#listen();
    });
  }

  #take(record: Buffer | 'too-large' | 'malformed'): void {
    if (this.#state === 'greeting') {
      if (typeof record === 'string') this.#refuse(handshakeCanceled, 'handshake_too_large');
      else this.#greet(record);
      return;
    }
    if (!this.#rate.take()) {
      this.comeBack('records_too_fast', connectionError);
      return;
    }
    const message = typeof record === 'string' ? undefined : this.#protocol?.read(record);
    if (message) this.#hear(message);
    else this.comeBack(record === 'too-large' ? 'record_too_large' : 'record_malformed', connectionError);
  }

  #greet(record: Buffer): void {
    const { endpoint, observer, protocols, settings } = this.#home;
    const asked = readHandshake(record, settings.protocols);
    const protocol = asked.ok ? protocols.get(asked.value) : undefined;
    if (!asked.ok || !protocol) {
      this.#refuse(asked.ok ? handshakeCanceled : asked.reason, 'handshake_refused');
      return;
    }
    const { session, rooms } = this.#admitted;
    this.#protocol = protocol;
    this.#reader.framing = protocol.framing;
    this.#enter('active');
    this.#queue.push(protocol.greeting);
    this.#home.rooms.join(this, rooms);
    observer.observe({ kind: 'connection-admitted', endpoint, connection: session.connection, rooms: rooms.length });
  }

  #hear(message: HubMessage): void {
    if (message.kind === 'ping') this.#heardAt ??= 0;
    if (this.#heardAt !== undefined) this.#heardAt = this.#home.clock.now();
    switch (message.kind) {
      case 'invocation':
        this.#callsOfItsOwn().invoke(message);
        break;
      case 'stream-invocation':
        this.#callsOfItsOwn().stream(message);
        break;
      case 'cancel':
        this.#calls?.cancel(message.id);
        break;
      case 'close':
        this.#close({ allowReconnect: false }, 'client_closed');
        break;
      case 'ping':
      case 'ignored':
        break;
    }
  }

  /** Most clients never call. */
  #callsOfItsOwn(): HubCalls<HubConnection> {
    this.#calls ??= new HubCalls(this, new HubSubscriptions(this, this.#admitted, this.#home), this.#home.settings);
    return this.#calls;
  }

  #offer(frame: Buffer | undefined): boolean {
    return frame !== undefined && this.#queue.push(frame);
  }

  #close(reason: CloseReason, cause: string): void {
    this.#finish(this.#protocol?.close(reason), cause);
  }

  #refuse(error: string, cause: string): void {
    this.#finish(textFrame(handshakeAnswer(error)), cause);
  }

  /** The last frame, then the WebSocket's own close behind it. */
  #finish(last: Buffer | undefined, cause: string): void {
    this.#leave('closing', cause);
    if (last) this.#queue.push(last);
    else this.#socket.close(normalClosure);
  }

  #leave(state: 'closing' | 'ended', cause: string): void {
    const wasActive = this.#state === 'active';
    this.#enter(state);
    if (!wasActive) return;
    const { endpoint, observer, rooms } = this.#home;
    if (this.#calls) this.#calls.end();
    else rooms.leave(this, this.#admitted.rooms);
    observer.observe({ kind: 'connection-closed', endpoint, connection: this.#admitted.session.connection, cause });
  }

  #enter(state: ConnectionState): void {
    const { counts, clock } = this.#home;
    counts[this.#state] -= 1;
    counts[state] += 1;
    this.#state = state;
    this.#since = clock.now();
  }
}
