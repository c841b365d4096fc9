import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Server } from 'ws';
import type { BindAdmission, ConnectionAdmission } from '../../../application/ports/admission.ts';
import type { ClientGateway, GatewayState } from '../../../application/ports/client-gateway.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { DeliveryChannel, DeliveryTarget } from '../../../application/ports/delivery-channel.ts';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { PatternId } from '../../../domain/stream-index.ts';
import { askAdmission } from '../ask-admission.ts';
import type { DirectWebSocket } from '../direct-websocket.ts';
import { createFlushSchedule } from '../flush-schedule.ts';
import { OpenSockets } from '../open-sockets.ts';
import { presentedBy } from '../presented-by.ts';
import { refuseUpgrade } from '../refuse-upgrade.ts';
import { RoomIndex } from '../room-index.ts';
import type { SendBudget } from '../send-budget.ts';
import { SendQueues } from '../send-queue.ts';
import { textFrame } from '../text-frame.ts';
import { createWebSocketServer } from '../websocket-server.ts';
import type { Subscription } from './client-binds.ts';
import { closeCodes } from './close-codes.ts';
import { answerHealth } from './health-answer.ts';
import { RelayConnection, type RelayHome } from './relay-connection.ts';
import { createRelayEncoder } from './relay-message.ts';
import type { WebsocketSettings } from './websocket-settings.ts';

export type RelayDependencies = {
  readonly admission: ConnectionAdmission;
  readonly binding: BindAdmission;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly surface: HttpSurface;
  /** Shared with the other endpoints of the process. */
  readonly budget: SendBudget;
  /** Whether every source has its broker, for those who ask for the health. */
  readonly isConnected: () => boolean;
};

/** An endpoint for bare WebSocket clients. Those that are cut, or whose gateway closes, come back by themselves. */
export function createRelayEndpoint(
  name: string,
  settings: WebsocketSettings,
  dependencies: RelayDependencies,
): DeliveryChannel & ClientGateway {
  return new RelayEndpoint(name, settings, dependencies);
}

class RelayEndpoint implements DeliveryChannel, ClientGateway {
  readonly name: string;
  readonly #settings: WebsocketSettings;
  readonly #dependencies: RelayDependencies;
  readonly #server: Server<typeof DirectWebSocket>;
  readonly #encode: ReturnType<typeof createRelayEncoder>;
  readonly #home: RelayHome;
  readonly #connections: OpenSockets<RelayConnection>;
  #state: GatewayState = { kind: 'closed' };
  #closing: ReturnType<ClientGateway['close']> | undefined;
  #closeDoors: readonly (() => void)[] = [];
  #stopPings = () => {};

  constructor(name: string, settings: WebsocketSettings, dependencies: RelayDependencies) {
    const { clock, observer, binding, budget } = dependencies;
    this.name = name;
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#connections = new OpenSockets(clock);
    this.#encode = createRelayEncoder(settings);
    this.#server = createWebSocketServer(settings.frameBytesMax, settings.perMessageDeflate);
    this.#home = {
      endpoint: name,
      clock,
      observer,
      binding,
      settings,
      sockets: this.#connections,
      queues: new SendQueues(settings.sendQueueBytesMax, budget, createFlushSchedule(settings.coalesceDelayMs, clock)),
      rooms: new RoomIndex<RelayConnection>(),
      patterns: new RoomIndex<Subscription<RelayConnection>, PatternId>(),
      counts: { admitting: 0, admitted: 0, ended: 0 },
      bindsPerConnectionMax: settings.bindsPerConnectionMax,
      bindsPerSecondMax: settings.bindsPerSecondMax,
    };
  }

  get state(): GatewayState {
    return this.#state;
  }

  get connectionCount(): number {
    return this.#home.counts.admitted;
  }

  async open(): Promise<void> {
    const { paths, health } = this.#settings;
    const { surface, isConnected } = this.#dependencies;
    this.#closeDoors = [
      ...paths.map((path) =>
        surface.onUpgrade(path, (request, socket, head) => {
          if (this.#state.kind !== 'open' || this.#connections.size >= this.#settings.connectionsMax) {
            refuseUpgrade(socket, 503, '', { 'Retry-After': '1' });
          } else {
            this.#server.handleUpgrade(request, socket, head, (websocket) => this.#connect(websocket, request));
          }
        }),
      ),
      ...(health ? [answerHealth(surface, health, isConnected)] : []),
    ];
    this.#state = { kind: 'open' };
    this.#pingInTime();
  }

  close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  deliver(event: Parameters<DeliveryChannel['deliver']>[0], target: DeliveryTarget) {
    const count = { queued: 0, dropped: 0 };
    let frame: Buffer | undefined;
    for (const connection of this.#owed(target)) {
      frame ??= textFrame(this.#encode(event));
      count[connection.send(frame) ? 'queued' : 'dropped'] += 1;
    }
    return count;
  }

  /** Every connection as often as it is to get the event. */
  #owed({ rooms, patterns }: DeliveryTarget): Iterable<RelayConnection> {
    const members = this.#home.rooms.membersOf(rooms);
    if (patterns.length === 0) return members;
    const owners = Array.from(this.#home.patterns.membersOf(patterns), ({ owner }) => owner);
    return this.#settings.overlappingBinds === 'once' ? new Set([...members, ...owners]) : [...members, ...owners];
  }

  #connect(websocket: DirectWebSocket, request: IncomingMessage): void {
    const connection = new RelayConnection(websocket, this.#home);
    this.#connections.add(websocket, connection);
    websocket.owner = connection;
    void this.#admit(connection, request);
  }

  async #admit(connection: RelayConnection, request: IncomingMessage): Promise<void> {
    const presented = presentedBy({ url: request.url ?? '', headers: request.headersDistinct, auth: {} });
    const door = { endpoint: this.name, ...this.#dependencies };
    const admission = await askAdmission(door, randomUUID(), presented, connection.beginAdmission());
    if (!connection.is('admitting')) return;
    if (admission.kind === 'admitted') connection.admit(admission);
    else if (admission.kind === 'denied') connection.refuse(admission.denial.code);
    else connection.close(closeCodes.comeBack, 'try_later');
  }

  #pingInTime(): void {
    const { pingIntervalMs } = this.#settings;
    if (pingIntervalMs === 0) return;
    this.#stopPings = this.#dependencies.clock.schedule(pingIntervalMs, () => {
      for (const connection of this.#connections.values()) connection.ping();
      this.#pingInTime();
    });
  }

  async #close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    this.#state = { kind: 'closing' };
    this.#stopPings();
    for (const connection of this.#connections.values()) {
      if (connection.is('admitting')) connection.close(closeCodes.restart, 'gateway_closing');
    }
    await this.#home.queues.flushed(deadline);
    const result = { flushed: 0, cut: 0 };
    for (const connection of this.#connections.values()) {
      const { queuedBytes } = connection;
      if (connection.is('admitted')) result[queuedBytes > 0 ? 'cut' : 'flushed'] += 1;
      if (queuedBytes > 0) connection.observeCut(queuedBytes);
      if (queuedBytes > 0) connection.cut('gateway_closing');
      else connection.close(closeCodes.restart, 'gateway_closing');
    }
    await this.#connections.allGone(deadline);
    for (const close of this.#closeDoors) close();
    this.#state = { kind: 'closed' };
    return result;
  }
}
