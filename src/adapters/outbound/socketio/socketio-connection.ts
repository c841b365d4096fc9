import type { Socket as EngineSocket } from 'engine.io';
import type { Admission } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { RoomName } from '../../../domain/room.ts';
import type { RoomIndex } from '../room-index.ts';
import type { Cut, FrameWriter, SendQueue, SendQueues } from '../send-queue.ts';
import { cutTransport, isPolling, writeFrames } from './engine-transport.ts';

/** `waiting`: not admitted, or refused. From `ended` on nothing happens any more. */
type ConnectionState = 'waiting' | 'admitting' | 'admitted' | 'ended';

/** What the connections of an endpoint share. */
export type ConnectionHome = {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly queues: SendQueues;
  readonly rooms: RoomIndex<SocketioConnection>;
  /** How many connections are in which state. */
  readonly counts: Record<ConnectionState, number>;
};

export type Admitted = Extract<Admission, { kind: 'admitted' }>;

/**
 * One Engine.IO connection from its opening to its end. Ending is done at once: the transport may take a while to
 * close, but from then on the connection is in no room, owes nothing and has no timer.
 */
export class SocketioConnection implements FrameWriter {
  readonly #engineSocket: EngineSocket;
  readonly #home: ConnectionHome;
  #state: ConnectionState = 'waiting';
  #connects = 0;
  #admission: AbortController | undefined;
  #id = '';
  #rooms: readonly RoomName[] = [];
  #queue: SendQueue | undefined;
  #stopPollingLimit: (() => void) | undefined;
  #stopExpiry: (() => void) | undefined;

  constructor(engineSocket: EngineSocket, home: ConnectionHome) {
    this.#engineSocket = engineSocket;
    this.#home = home;
    home.counts.waiting += 1;
  }

  is(state: ConnectionState): boolean {
    return this.#state === state;
  }

  /** What it is owed. */
  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  /** How many CONNECT packets have come, this one included. */
  countConnect(): number {
    this.#connects += 1;
    return this.#connects;
  }

  /** Tells a client that polls for longer to come back. */
  limitPolling(delayMs: number): void {
    this.#stopPollingLimit = this.#home.clock.schedule(delayMs, () => {
      if (isPolling(this.#engineSocket)) this.comeBack('polling_too_long');
    });
  }

  /** The signal aborts when the connection ends before the admission is known. */
  beginAdmission(): AbortSignal {
    this.#enter('admitting');
    this.#admission = new AbortController();
    return this.#admission.signal;
  }

  refuse(): void {
    this.#admission = undefined;
    if (this.#state === 'admitting') this.#enter('waiting');
  }

  /** From here on events are sent. Only after `beginAdmission`, and not when it has ended since. */
  admit(id: string, { rooms, closesAt }: Admitted): void {
    const { endpoint, clock, observer } = this.#home;
    this.#admission = undefined;
    this.#enter('admitted');
    this.#id = id;
    this.#rooms = rooms;
    this.#queue = this.#home.queues.open(this);
    this.#home.rooms.join(this, rooms);
    if (closesAt !== undefined) {
      this.#stopExpiry = clock.schedule(closesAt - clock.now(), () => this.comeBack('token_expired'));
    }
    observer.observe({ kind: 'connection-admitted', endpoint, connection: id, rooms: rooms.length });
  }

  /** False when it is closing, or is cut for this frame. */
  send(frame: Buffer): boolean {
    return this.#queue?.push(frame) ?? false;
  }

  write(frames: readonly Buffer[], written: () => void): void {
    writeFrames(this.#engineSocket, frames, written);
  }

  terminate({ cause, queuedBytes }: Cut): void {
    if (cause === 'slow') this.observeCut(queuedBytes);
    this.comeBack(cause === 'slow' ? 'slow_reader' : 'write_failed');
  }

  observeCut(queuedBytes: number): void {
    const { endpoint, observer } = this.#home;
    observer.observe({ kind: 'connection-cut', endpoint, connection: this.#id, queuedBytes });
  }

  /** Ends the connection so that its client comes back: without the packet `41`, after which a client stays away. */
  comeBack(cause: string): void {
    this.end(cause);
    cutTransport(this.#engineSocket);
  }

  /** The transport is closed, or about to be. Only the first call counts. */
  end(cause: string): void {
    if (this.#state === 'ended') return;
    const { endpoint, observer, rooms } = this.#home;
    const wasAdmitted = this.#state === 'admitted';
    this.#enter('ended');
    this.#admission?.abort();
    this.#stopPollingLimit?.();
    this.#stopExpiry?.();
    this.#queue?.close();
    rooms.leave(this, this.#rooms);
    if (wasAdmitted) observer.observe({ kind: 'connection-closed', endpoint, connection: this.#id, cause });
  }

  #enter(state: ConnectionState): void {
    const { counts } = this.#home;
    counts[this.#state] -= 1;
    counts[state] += 1;
    this.#state = state;
  }
}
