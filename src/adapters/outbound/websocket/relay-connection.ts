import type { Admission, Session } from '../../../application/ports/admission.ts';
import type { RoomName } from '../../../domain/room.ts';
import type { DirectWebSocket, WebSocketOwner } from '../direct-websocket.ts';
import type { FrameRun } from '../frame-run.ts';
import type { Cut, FrameWriter } from '../frame-writer.ts';
import type { OpenSockets } from '../open-sockets.ts';
import type { RoomIndex } from '../room-index.ts';
import type { SendQueue, SendQueues } from '../send-queue.ts';
import { textFrame } from '../text-frame.ts';
import { type PendingWrite, writeFrames } from '../write-frames.ts';
import { type BindHome, type BindOwner, ClientBinds } from './client-binds.ts';
import { readClientMessage } from './client-message.ts';
import { type CloseCode, closeCodes } from './close-codes.ts';
import type { WebsocketSettings } from './websocket-settings.ts';

/** From `ended` on nothing happens any more. */
type ConnectionState = 'admitting' | 'admitted' | 'ended';

/** What the connections of an endpoint share. */
export type RelayHome = BindHome<RelayConnection> & {
  readonly sockets: OpenSockets<RelayConnection>;
  readonly queues: SendQueues;
  readonly rooms: RoomIndex<RelayConnection>;
  /** How many connections are in which state. */
  readonly counts: Record<ConnectionState, number>;
  readonly settings: Pick<WebsocketSettings, 'extended' | 'refusals' | 'idleMsMax'>;
};

export type Admitted = Extract<Admission, { kind: 'admitted' }>;

/** What a client may send while it is looked at (brainlife section 10 item 8; the limits). */
const earlyMessagesMax = 16;
const earlyBytesMax = 64 * 1024;

/**
 * One WebSocket from its opening to its end. Ending is done at once: the socket may take a while to close, but from then
 * on the connection is in no room, has no bind, owes nothing and has no timer.
 */
export class RelayConnection implements FrameWriter, BindOwner, WebSocketOwner {
  readonly #websocket: DirectWebSocket;
  readonly #home: RelayHome;
  /** While somebody is asked about it. */
  #admission: AbortController | undefined;
  #state: ConnectionState = 'admitting';
  #early: Buffer[] | undefined;
  #earlyBytes = 0;
  #session: Session | undefined;
  #rooms: readonly RoomName[] = [];
  #queue: SendQueue | undefined;
  #binds: ClientBinds<RelayConnection> | undefined;
  #isAlive = true;
  #stopExpiry: (() => void) | undefined;
  #stopIdle: (() => void) | undefined;

  constructor(websocket: DirectWebSocket, home: RelayHome) {
    this.#websocket = websocket;
    this.#home = home;
    home.counts.admitting += 1;
  }

  /** The signal aborts when the connection ends before the admission is known. */
  beginAdmission(): AbortSignal {
    this.#admission = new AbortController();
    return this.#admission.signal;
  }

  is(state: ConnectionState): boolean {
    return this.#state === state;
  }

  get session(): Session {
    if (!this.#session) throw new Error('A connection was asked who it is before it was admitted');
    return this.#session;
  }

  /** What it is owed. */
  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  /** From here on events are sent, and what the client has said before is heard. Not when it has ended since. */
  admit({ session, rooms, closesAt }: Admitted): void {
    const { endpoint, clock, observer } = this.#home;
    this.#admission = undefined;
    this.#enter('admitted');
    this.#session = session;
    this.#rooms = rooms;
    this.#queue = this.#home.queues.open(this);
    this.#home.rooms.join(this, rooms);
    if (closesAt !== undefined) {
      this.#stopExpiry = clock.schedule(closesAt - clock.now(), () => this.close(closeCodes.comeBack, 'token_expired'));
    }
    observer.observe({ kind: 'connection-admitted', endpoint, connection: session.connection, rooms: rooms.length });
    this.idle();
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const data of early) this.message(data);
  }

  message(data: Buffer): void {
    this.#isAlive = true;
    if (this.#state === 'admitting') this.#keep(data);
    else if (this.#state === 'admitted') this.#hear(data);
  }

  /** False when it is closing, or is cut for this frame. */
  send(frame: Buffer): boolean {
    return this.#queue?.push(frame) ?? false;
  }

  answer(text: string): void {
    this.send(textFrame(text));
  }

  /** From now on until it has something it may be ended, unless it is in a room. */
  idle(): void {
    const { clock, settings } = this.#home;
    if (this.#state !== 'admitted' || settings.idleMsMax === 0 || this.#rooms.length > 0) return;
    this.#stopIdle = clock.schedule(settings.idleMsMax, () => this.close(closeCodes.idle, 'idle'));
  }

  busy(): void {
    this.#stopIdle?.();
  }

  write(run: FrameRun, pending: PendingWrite): boolean {
    return writeFrames(this.#websocket, run, pending);
  }

  terminate({ cause, queuedBytes }: Cut): void {
    if (cause === 'slow') this.observeCut(queuedBytes);
    this.cut(cause === 'slow' ? 'slow_reader' : 'write_failed');
  }

  observeCut(queuedBytes: number): void {
    const { endpoint, observer } = this.#home;
    observer.observe({ kind: 'connection-cut', endpoint, connection: this.session.connection, queuedBytes });
  }

  /** Cut when nothing has come since the last time. */
  ping(): void {
    if (!this.#isAlive) {
      this.cut('ping_timeout');
      return;
    }
    this.#isAlive = false;
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#websocket.ping();
  }

  pong(): void {
    this.#isAlive = true;
  }

  closed(code: number): void {
    this.end(`closed_${code}`);
    this.#home.sockets.delete(this.#websocket);
  }

  /** As the config wants those told who are not let in, or who say what nobody can read. */
  refuse(cause: string): void {
    if (this.#home.settings.refusals === 'cut') this.cut(cause);
    else this.close(closeCodes.denied, cause);
  }

  /** Says why. ws ends the connection by itself when the client does not answer. */
  close(code: CloseCode, reason: string): void {
    this.end(reason);
    this.#websocket.close(code, reason);
  }

  /** Ends the connection without a word. */
  cut(cause: string): void {
    this.end(cause);
    this.#websocket.terminate();
  }

  /** The socket is closed, or about to be. Only the first call counts. */
  end(cause: string): void {
    if (this.#state === 'ended') return;
    const { endpoint, observer, rooms } = this.#home;
    this.#enter('ended');
    this.#admission?.abort();
    this.#admission = undefined;
    this.#stopExpiry?.();
    this.#stopIdle?.();
    this.#queue?.close();
    this.#binds?.end();
    this.#early = undefined;
    rooms.leave(this, this.#rooms);
    if (!this.#session) return;
    const { connection } = this.#session;
    observer.observe({ kind: 'connection-closed', endpoint, connection, cause });
  }

  #hear(data: Buffer): void {
    const message = readClientMessage(data, this.#home.settings.extended);
    if (message.kind === 'malformed') this.refuse('message_malformed');
    else if (message.kind !== 'ignored') this.#bindsOfItsOwn().take(message);
  }

  /** Most clients bind soon, but those that are in rooms need not. */
  #bindsOfItsOwn(): ClientBinds<RelayConnection> {
    this.#binds ??= new ClientBinds(this, this.#home);
    return this.#binds;
  }

  #keep(data: Buffer): void {
    this.#earlyBytes += data.length;
    this.#early ??= [];
    if (this.#early.push(data) > earlyMessagesMax || this.#earlyBytes > earlyBytesMax) this.cut('early_too_much');
  }

  #enter(state: ConnectionState): void {
    const { counts } = this.#home;
    counts[this.#state] -= 1;
    counts[state] += 1;
    this.#state = state;
  }
}
