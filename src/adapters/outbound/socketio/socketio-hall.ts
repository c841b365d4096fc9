import type { Socket as EngineSocket } from 'engine.io';
import type { Namespace, Server, Socket } from 'socket.io';
import type { Clock } from '../../../application/ports/clock.ts';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import type { EngineSettings } from './engine-settings.ts';
import { isOldClient } from './engine-transport.ts';
import { followConnections } from './follow-connections.ts';
import type { LeanEngine } from './lean-engine.ts';
import { openDoor } from './open-door.ts';
import type { SocketioConnection } from './socketio-connection.ts';
import { createSocketioServer } from './socketio-server.ts';

/** What a hall knows of an endpoint. */
export type HallGuest = {
  readonly namespace: string;
  readonly connectionsMax: number;
  /** Whether it lets clients in. */
  isOpen(): boolean;
};

export type HallDependencies = { readonly clock: Clock; readonly surface: HttpSurface };

/**
 * Of `connectionsMax`: so many may be open in all. Those beyond the maximum itself are there only to be told so, and
 * are soon gone.
 */
const openShareMax = 2;

/**
 * One path, with one engine behind it. Endpoints share it, each with a namespace of its own; an engine's connection is
 * admitted by one of them at a time. All endpoints enter before the first one opens.
 */
export class SocketioHall {
  readonly connections: ReadonlyMap<EngineSocket, SocketioConnection>;
  readonly #io: Server;
  readonly #engine: LeanEngine;
  readonly #path: string;
  readonly #surface: HttpSurface;
  readonly #guests: HallGuest[] = [];
  #closeDoor: (() => void) | undefined;

  constructor(settings: EngineSettings, { clock, surface }: HallDependencies) {
    const { io, engine } = createSocketioServer(settings);
    this.#io = io;
    this.#engine = engine;
    this.#path = settings.path;
    this.#surface = surface;
    this.connections = followConnections(engine, settings, clock, () => this.#isOpen());
  }

  /** @param oldClients whether the endpoint is for clients of Engine.IO 3, too. */
  enter(guest: HallGuest, oldClients: boolean): Namespace {
    this.#guests.push(guest);
    if (oldClients) this.#engine.opts.allowEIO3 = true;
    return this.#io.of(guest.namespace);
  }

  /** Is told of every client of Engine.IO 3 that connects. */
  onOldClient(told: () => void): void {
    this.#engine.on('connection', (engineSocket: EngineSocket) => {
      if (isOldClient(engineSocket)) told();
    });
  }

  /** Throws the surface's `Fault` when the path is taken. */
  open(): void {
    if (this.#closeDoor) return;
    const openMax = this.#guests.reduce((sum, { connectionsMax }) => sum + connectionsMax, 0) * openShareMax;
    const isOpen = () => this.#isOpen() && this.connections.size < openMax;
    this.#closeDoor = openDoor(this.#surface, this.#path, this.#engine, isOpen);
    if (!this.#guests.some(({ namespace }) => namespace === '/')) closeRoot(this.#io.of('/'));
  }

  /** An endpoint has begun to close: nobody new comes in, and those who belong to none come back elsewhere. */
  beginToClose(): void {
    for (const connection of this.connections.values()) {
      if (connection.is('waiting')) connection.comeBack('gateway_closing');
    }
  }

  /** An endpoint has closed. With the last one the path is free again. */
  leave(guest: HallGuest): void {
    this.#guests.splice(this.#guests.indexOf(guest), 1);
    if (this.#guests.length === 0) this.#closeDoor?.();
  }

  #isOpen(): boolean {
    return this.#guests.every((guest) => guest.isOpen());
  }
}

/**
 * Socket.IO always has the namespace `/`. Where it is no endpoint's, it is answered like one that is not there. Old
 * clients are in it unasked, before they ask for another one: there is nothing for them.
 */
function closeRoot(root: Namespace): void {
  root.use((socket, next) => next(isOldClient(socket.conn) ? undefined : new Error('Invalid namespace')));
  root.on('connection', letInBare);
}

/** In `/` an old client is in no room, and nothing is heard of it. */
export function letInBare(socket: Socket): void {
  void socket.leave(socket.id);
  // What is in the handshake is a copy; the request itself is needed when the client asks for its namespace.
  (socket as { handshake: unknown }).handshake = undefined;
}
