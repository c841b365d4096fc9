import type { Socket as EngineSocket } from 'engine.io';
import type { Admission } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { RoomName } from '../../../domain/room.ts';
import type { FrameRun } from '../frame-run.ts';
import type { Cut, FrameWriter } from '../frame-writer.ts';
import type { RoomIndex } from '../room-index.ts';
import type { SendQueue, SendQueues } from '../send-queue.ts';
import type { PendingWrite } from '../write-frames.ts';
import {
  cutTransport,
  isPolling,
  type WebSocketTransport,
  websocketTransportOf,
  writeFrames,
} from './engine-transport.ts';

/** `waiting`: not admitted, or refused. From `ended` on nothing happens any more. */
type ConnectionState = 'waiting' | 'admitting' | 'admitted' | 'ended';

/** What the connections of an endpoint share: those that it is asked to admit, and has admitted. */
export type ConnectionHome = {
  readonly endpoint: string;
  readonly observer: Observer;
  readonly queues: SendQueues;
  readonly rooms: RoomIndex<SocketioConnection>;
  /** How many connections are in which state. */
  readonly counts: Record<'admitting' | 'admitted', number>;
};

export type Admitted = Extract<Admission, { kind: 'admitted' }>;

/**
 * One Engine.IO connection from its opening to its end. It belongs to nobody until an endpoint begins to admit it, and
 * to that endpoint alone from then on, unless it is refused. Ending is done at once: the transport may take a while to
 * close, but from then on the connection is in no room, owes nothing and has no timer.
 */
export class SocketioConnection implements FrameWriter {
  readonly #engineSocket: EngineSocket;
  /** Kept, since each step on the way to it is memory that the processor has to fetch, for every connection and event. */
  #transport: WebSocketTransport | undefined;
  readonly #clock: Clock;
  #home: ConnectionHome | undefined;
  #state: ConnectionState = 'waiting';
  #connects = 0;
  #admission: AbortController | undefined;
  #id = '';
  #rooms: readonly RoomName[] = [];
  #queue: SendQueue | undefined;
  #stopPollingLimit: (() => void) | undefined;
  #stopWaitingLimit: (() => void) | undefined;
  #isWaitingOver = false;
  #stopExpiry: (() => void) | undefined;
  #onEnded: (() => void) | undefined;

  constructor(engineSocket: EngineSocket, clock: Clock) {
    this.#engineSocket = engineSocket;
    this.#clock = clock;
  }

  is(state: ConnectionState): boolean {
    return this.#state === state;
  }

  belongsTo(home: ConnectionHome): boolean {
    return this.#home === home;
  }

  /** What it is owed. */
  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  /** Whether it is still owed what it was when its endpoint began to close. */
  get isBehind(): boolean {
    return this.#queue?.isBehind ?? false;
  }

  /** How many CONNECT packets have come, this one included. */
  countConnect(): number {
    this.#connects += 1;
    return this.#connects;
  }

  /** Tells a client that polls for longer to come back. */
  limitPolling(delayMs: number): void {
    this.#stopPollingLimit = this.#clock.schedule(delayMs, () => {
      if (isPolling(this.#engineSocket)) this.comeBack('polling_too_long');
    });
  }

  /** Ends one that is let in nowhere by then. */
  limitWaiting(delayMs: number): void {
    this.#stopWaitingLimit = this.#clock.schedule(delayMs, () => {
      this.#isWaitingOver = true;
      if (this.#state === 'waiting') this.comeBack('connect_timeout');
    });
  }

  /** The signal aborts when the connection ends before the admission is known. */
  beginAdmission(home: ConnectionHome): AbortSignal {
    this.#home = home;
    this.#enter('admitting');
    this.#admission = new AbortController();
    return this.#admission.signal;
  }

  refuse(): void {
    this.#admission = undefined;
    if (this.#state !== 'admitting') return;
    this.#enter('waiting');
    this.#home = undefined;
    // Behind the answer, which is still to be sent.
    if (this.#isWaitingOver) setImmediate(() => this.comeBack('connect_timeout'));
  }

  /** From here on events are sent. Only after `beginAdmission`, and not when it has ended since. */
  admit(id: string, { rooms, closesAt }: Admitted, home: ConnectionHome): void {
    const { endpoint, observer } = home;
    this.#admission = undefined;
    this.#enter('admitted');
    this.#stopWaitingLimit?.();
    this.#id = id;
    this.#rooms = rooms;
    this.#queue = home.queues.open(this);
    home.rooms.join(this, rooms);
    if (closesAt !== undefined) {
      this.#stopExpiry = this.#clock.schedule(closesAt - this.#clock.now(), () => this.comeBack('token_expired'));
    }
    observer.observe({ kind: 'connection-admitted', endpoint, connection: id, rooms: rooms.length });
  }

  /** Called once, with the end of the connection; when it is in no room any more. */
  whenEnded(callback: () => void): void {
    this.#onEnded = callback;
  }

  /** False when it is closing, or is cut for this frame. */
  send(frame: Buffer): boolean {
    return this.#queue?.push(frame) ?? false;
  }

  write(run: FrameRun, pending: PendingWrite): boolean {
    this.#transport ??= websocketTransportOf(this.#engineSocket);
    return writeFrames(this.#engineSocket, run, pending, this.#transport);
  }

  terminate({ cause, queuedBytes }: Cut): void {
    if (cause === 'slow') this.observeCut(queuedBytes);
    this.comeBack(cause === 'slow' ? 'slow_reader' : 'write_failed');
  }

  observeCut(queuedBytes: number): void {
    if (!this.#home) return;
    const { endpoint, observer } = this.#home;
    observer.observe({ kind: 'connection-cut', endpoint, connection: this.#id, queuedBytes });
  }

  /** Ends the connection so that its client comes back: without the packet `41`, after which a client stays away. */
  comeBack(cause: string): void {
    this.end(cause);
    cutTransport(this.#engineSocket);
  }

  /** Ends the connection behind what Socket.IO has sent, such as the packet `41`. */
  leave(cause: string): void {
    this.end(cause);
    this.#engineSocket.close();
  }

  /** The transport is closed, or about to be. Only the first call counts. */
  end(cause: string): void {
    if (this.#state === 'ended') return;
    const wasAdmitted = this.#state === 'admitted';
    this.#enter('ended');
    this.#admission?.abort();
    this.#stopPollingLimit?.();
    this.#stopWaitingLimit?.();
    this.#stopExpiry?.();
    this.#queue?.close();
    this.#home?.rooms.leave(this, this.#rooms);
    if (!wasAdmitted || !this.#home) return;
    const { endpoint, observer } = this.#home;
    this.#onEnded?.();
    observer.observe({ kind: 'connection-closed', endpoint, connection: this.#id, cause });
  }

  #enter(state: ConnectionState): void {
    const counts = this.#home?.counts;
    if (counts && isCounted(this.#state)) counts[this.#state] -= 1;
    if (counts && isCounted(state)) counts[state] += 1;
    this.#state = state;
  }
}

const isCounted = (state: ConnectionState): state is 'admitting' | 'admitted' =>
  state === 'admitting' || state === 'admitted';
