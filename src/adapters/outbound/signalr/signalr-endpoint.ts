import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server } from 'ws';
import type { ConnectionAdmission, RoomAdmission } from '../../../application/ports/admission.ts';
import type { ClientGateway, GatewayState } from '../../../application/ports/client-gateway.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { DeliveryChannel } from '../../../application/ports/delivery-channel.ts';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import { askAdmission, type Door } from '../ask-admission.ts';
import type { DirectWebSocket } from '../direct-websocket.ts';
import { createFlushSchedule } from '../flush-schedule.ts';
import { OpenSockets } from '../open-sockets.ts';
import { presentedBy } from '../presented-by.ts';
import { refuseUpgrade } from '../refuse-upgrade.ts';
import { RoomIndex } from '../room-index.ts';
import type { SendBudget } from '../send-budget.ts';
import { SendQueues } from '../send-queue.ts';
import { watchUndecided } from '../undecided-socket.ts';
import { createWebSocketServer } from '../websocket-server.ts';
import { fieldsKey, queryFields } from './call-fields.ts';
import { allowsOrigin } from './cross-origin.ts';
import { EventFrames } from './event-frames.ts';
import { type Admitted, HubConnection, type HubHome } from './hub-connection.ts';
import type { HubProtocol } from './hub-protocol.ts';
import { forbiddenOrigin, type HubRefusal, hubRefusal, textRefusal, unavailable } from './hub-refusal.ts';
import { answerHubRequest, idOf, noSuchConnection } from './hub-requests.ts';
import { HubWebSocket } from './hub-websocket.ts';
import { jsonProtocol } from './json-protocol.ts';
import { messagePackProtocol } from './message-pack-protocol.ts';
import { callerOf, Negotiations } from './negotiations.ts';
import type { SignalrSettings } from './signalr-settings.ts';

export type SignalrDependencies = {
  readonly admission: ConnectionAdmission;
  /** For what clients subscribe to once they are connected. */
  readonly joining: RoomAdmission;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly surface: HttpSurface;
  /** Shared with the other endpoints of the process. */
  readonly budget: SendBudget;
};

/** How often connections are looked at, at the least: pings come at most so much too late (signalr-protocol 5). */
const lookIntervalMsMax = 1000;

/** Records may be joined: a larger message than this is none of a client's, and ends its connection with 1009. */
const frameBytesMin = 1_048_576;

const protocols: ReadonlyMap<HubProtocol['name'], HubProtocol> = new Map(
  [jsonProtocol, messagePackProtocol].map((protocol) => [protocol.name, protocol]),
);

/** A hub for SignalR clients. Those that are cut, or whose gateway closes, come back by themselves where they can. */
export function createSignalrEndpoint(
  name: string,
  settings: SignalrSettings,
  dependencies: SignalrDependencies,
): DeliveryChannel & ClientGateway {
  return new SignalrEndpoint(name, settings, dependencies);
}

class SignalrEndpoint implements DeliveryChannel, ClientGateway {
  readonly name: string;
  readonly #settings: SignalrSettings;
  readonly #dependencies: SignalrDependencies;
  readonly #server: Server<typeof DirectWebSocket>;
  readonly #home: HubHome;
  readonly #connections: OpenSockets<HubConnection>;
  readonly #negotiations: Negotiations;
  readonly #door: Door;
  #state: GatewayState = { kind: 'closed' };
  #closing: ReturnType<ClientGateway['close']> | undefined;
  #closeDoors: readonly (() => void)[] = [];
  /** Upgrades that are being decided about. */
  #pending = 0;
  #stopLooking = () => {};

  constructor(name: string, settings: SignalrSettings, dependencies: SignalrDependencies) {
    const { clock, observer, joining, budget, admission } = dependencies;
    this.name = name;
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#door = { endpoint: name, admission, observer };
    this.#connections = new OpenSockets(clock);
    this.#negotiations = new Negotiations(clock, {
      waitMsMax: settings.handshakeTimeoutMs,
      waitingMax: settings.connectionsMax,
      waitingOfCallerMax: settings.negotiationsPerCallerMax,
    });
    this.#server = createWebSocketServer(Math.max(frameBytesMin, settings.recordBytesMax), settings.perMessageDeflate);
    this.#home = {
      endpoint: name,
      clock,
      observer,
      joining,
      settings,
      protocols,
      fields: queryFields(settings.query),
      queues: new SendQueues(settings.sendQueueBytesMax, budget, createFlushSchedule(settings.coalesceDelayMs, clock)),
      rooms: new RoomIndex<HubConnection>(),
      counts: { greeting: 0, active: 0, closing: 0, ended: 0 },
      lookedAt: { now: clock.now() },
    };
  }

  get state(): GatewayState {
    return this.#state;
  }

  get connectionCount(): number {
    return this.#home.counts.active;
  }

  async open(): Promise<void> {
    const { surface } = this.#dependencies;
    const requests = {
      ...this.#door,
      settings: this.#settings,
      negotiations: this.#negotiations,
      isOpen: () => this.#hasRoom,
    };
    this.#closeDoors = this.#settings.paths.flatMap((path) => [
      surface.onUpgrade(path, (request, socket, head) => void this.#upgrade(request, socket, head)),
      surface.onRequest(path, (request, response) => void answerHubRequest(path, request, response, requests)),
    ]);
    this.#state = { kind: 'open' };
    this.#lookInTime();
  }

  close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  deliver(event: Parameters<DeliveryChannel['deliver']>[0], { rooms }: Parameters<DeliveryChannel['deliver']>[1]) {
    const count = { queued: 0, dropped: 0 };
    const { observer } = this.#dependencies;
    const frames = new EventFrames(event, this.#settings, (error) =>
      observer.observe({ kind: 'endpoint-failed', endpoint: this.name, eventId: event.id, error }),
    );
    for (const connection of this.#home.rooms.membersOf(rooms)) {
      count[connection.deliver(frames) ? 'queued' : 'dropped'] += 1;
    }
    return count;
  }

  get #hasRoom(): boolean {
    return this.#state.kind === 'open' && this.#connections.size + this.#pending < this.#settings.connectionsMax;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!this.#hasRoom) return refuse(socket, unavailable);
    if (!allowsOrigin(this.#settings.corsOrigins, request.headers.origin)) return refuse(socket, forbiddenOrigin);
    const token = idOf(request.url ?? '');
    const undecided = watchUndecided(socket);
    this.#pending += 1;
    const admitted = await this.#admit(request, token, undecided.gone);
    this.#pending -= 1;
    const early = undecided.decided();
    if (socket.destroyed) return;
    if ('status' in admitted) return refuse(socket, admitted);
    if (this.#state.kind !== 'open') return refuse(socket, unavailable);
    const caller = callerOf(admitted.session.principal);
    const state = token === undefined ? 'free' : this.#negotiations.stateOf(token, caller);
    if (state === 'unknown') return refuse(socket, noSuchConnection);
    if (state === 'taken') return refuse(socket, textRefusal(409, ''));
    const read = Buffer.concat([head, early]);
    // Called at once, or not at all where the upgrade itself is wrong.
    this.#server.handleUpgrade(request, socket, read, (websocket) => {
      if (token !== undefined) {
        this.#negotiations.take(token, caller);
        socket.once('close', () => this.#negotiations.release(token));
      }
      this.#connect(websocket, admitted);
    });
  }

  async #admit(request: IncomingMessage, token: string | undefined, gone: AbortSignal): Promise<Admitted | HubRefusal> {
    const presented = presentedBy({ url: request.url ?? '', headers: request.headersDistinct, auth: {} });
    const negotiated = token === undefined ? undefined : this.#negotiations.connectionOf(token);
    const admission = await askAdmission(this.#door, negotiated ?? randomUUID(), presented, gone);
    if (admission.kind !== 'admitted') return hubRefusal(admission);
    const { session, rooms, closesAt } = admission;
    return { session, rooms, closesAt, key: fieldsKey(presented, this.#home.fields) };
  }

  #connect(websocket: DirectWebSocket, admitted: Admitted): void {
    const socket = new HubWebSocket(websocket, this.#connections);
    const connection = new HubConnection(socket, admitted, this.#home);
    socket.connection = connection;
    this.#connections.add(websocket, connection);
    websocket.owner = socket;
  }

  #lookInTime(): void {
    const { clock } = this.#dependencies;
    const { keepAliveMs, handshakeTimeoutMs } = this.#settings;
    this.#stopLooking = clock.schedule(Math.min(lookIntervalMsMax, keepAliveMs, handshakeTimeoutMs), () => {
      this.#lookInTime();
      const now = clock.now();
      this.#home.lookedAt.now = now;
      for (const connection of this.#connections.values()) connection.look(now);
      this.#negotiations.forgetLate();
    });
  }

  async #close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    this.#state = { kind: 'closing' };
    const connections = [...this.#connections.values()];
    const leaving = connections.filter((connection) => connection.is('active'));
    for (const connection of connections) connection.comeBack('gateway_closing');
    // The last record may have been too much for somebody.
    const flushing = leaving.filter((connection) => !connection.is('ended'));
    await this.#home.queues.flushed(deadline);
    this.#stopLooking();
    const result = { flushed: 0, cut: leaving.length - flushing.length };
    for (const connection of flushing) {
      const { queuedBytes } = connection;
      result[queuedBytes > 0 ? 'cut' : 'flushed'] += 1;
      if (queuedBytes > 0) connection.observeCut(queuedBytes);
      if (queuedBytes > 0) connection.cut('gateway_closing');
    }
    await this.#connections.allGone(deadline);
    for (const close of this.#closeDoors) close();
    this.#state = { kind: 'closed' };
    return result;
  }
}

const refuse = (socket: Duplex, { status, headers, body }: HubRefusal): void =>
  refuseUpgrade(socket, status, body, headers);
