import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io';
import { createMessageExchange } from '../../../application/exchange-messages.ts';
import type { Admission, ConnectionAdmission, Session, SpaceAdmission } from '../../../application/ports/admission.ts';
import type { ClientGateway, GatewayState } from '../../../application/ports/client-gateway.ts';
import type { DeliveryChannel } from '../../../application/ports/delivery-channel.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type { History } from '../../../application/ports/history.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { RoomTemplate } from '../../../domain/room-template.ts';
import { createFlushSchedule } from '../flush-schedule.ts';
import { RoomIndex } from '../room-index.ts';
import type { SendBudget } from '../send-budget.ts';
import { SendQueues } from '../send-queue.ts';
import { admitSockets, connectionId } from './admit-sockets.ts';
import { closeConnections } from './close-connections.ts';
import { HistoryLosses } from './history-losses.ts';
import type { ConnectionHome, SocketioConnection } from './socketio-connection.ts';
import { type HallDependencies, SocketioHall } from './socketio-hall.ts';
import { answerHistory } from './spaces-history-answer.ts';
import { type MemberHome, SpacesMember } from './spaces-member.ts';
import { spacesPresented } from './spaces-presented.ts';
import { SpacesRooms } from './spaces-rooms.ts';
import { senderOf } from './spaces-sender.ts';
import { SpacesSending } from './spaces-sending.ts';
import type { SpacesSettings } from './spaces-settings.ts';

export type SpacesDependencies = HallDependencies & {
  readonly admission: ConnectionAdmission;
  readonly membership: SpaceAdmission;
  /** What `settings.space` says. */
  readonly template: RoomTemplate;
  readonly publisher: EventPublisher;
  /** The endpoint closes it. */
  readonly history: History;
  readonly observer: Observer;
  /** Shared with the other endpoints of the process. */
  readonly budget: SendBudget;
  /** Shared with the other endpoints of its path; by default one of its own. */
  readonly hall?: SocketioHall | undefined;
};

/** Two-way rooms for clients of Socket.IO 1, 2 and newer (docs/specs/avaya-spaces.md). */
export function createSpacesEndpoint(
  name: string,
  settings: SpacesSettings,
  dependencies: SpacesDependencies,
): DeliveryChannel & ClientGateway {
  return new SpacesEndpoint(name, settings, dependencies);
}

class SpacesEndpoint implements DeliveryChannel, ClientGateway {
  readonly name: string;
  readonly #settings: SpacesSettings;
  readonly #dependencies: SpacesDependencies;
  readonly #hall: SocketioHall;
  readonly #guest: Parameters<SocketioHall['enter']>[0];
  readonly #home: ConnectionHome;
  readonly #members: MemberHome;
  readonly #rooms: SpacesRooms;
  readonly #losses = new HistoryLosses();
  #state: GatewayState = { kind: 'closed' };
  #closing: ReturnType<ClientGateway['close']> | undefined;
  #closeApi = () => {};

  constructor(name: string, settings: SpacesSettings, dependencies: SpacesDependencies) {
    const { clock, observer, budget, membership, history, template, publisher } = dependencies;
    this.name = name;
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#hall = dependencies.hall ?? new SocketioHall(settings, dependencies);
    this.#home = {
      endpoint: name,
      observer,
      queues: new SendQueues(settings.sendQueueBytesMax, budget, createFlushSchedule(settings.coalesceDelayMs, clock)),
      rooms: new RoomIndex<SocketioConnection>(),
      counts: { admitting: 0, admitted: 0 },
    };
    const shared = { endpoint: name, settings, clock, observer };
    const instance = randomUUID();
    this.#rooms = new SpacesRooms({ ...shared, template, instance, history, losses: this.#losses });
    const { order, publishTimeoutMs } = settings;
    const sending = new SpacesSending({
      ...shared,
      instance,
      rooms: this.#rooms,
      exchange: (deliver) => createMessageExchange({ ...shared, publisher, order, publishTimeoutMs, deliver }),
    });
    const isClosing = () => this.#state.kind !== 'open';
    this.#members = { ...shared, template, rooms: this.#rooms, sending, admission: membership, isClosing };
    this.#guest = {
      namespace: settings.namespace,
      connectionsMax: settings.connectionsMax,
      isOpen: () => this.#state.kind === 'open',
    };
    this.#enter();
  }

  get state(): GatewayState {
    return this.#state;
  }

  get details(): Readonly<Record<string, string>> {
    return {
      ...(this.#settings.membership ? {} : { membership: 'open' }),
      ...(this.#losses.isFailing ? { history: 'failing' } : {}),
    };
  }

  get connectionCount(): number {
    return this.#home.counts.admitted;
  }

  async open(): Promise<void> {
    const { surface, admission, membership, history, observer } = this.#dependencies;
    this.#hall.open();
    this.#closeApi = answerHistory(surface, {
      endpoint: this.name,
      settings: this.#settings,
      template: this.#members.template,
      admission,
      membership,
      history,
      losses: this.#losses,
      observer,
    });
    this.#state = { kind: 'open' };
  }

  stopHearing(deadline: AbortSignal): Promise<void> {
    this.#state = { kind: 'closing' };
    return this.#members.sending.stop(deadline);
  }

  close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  deliver(...[event, { rooms }]: Parameters<DeliveryChannel['deliver']>) {
    return this.#rooms.deliver(event, rooms);
  }

  async #close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    this.#state = { kind: 'closing' };
    const result = await closeConnections(this.#hall, this.#home, deadline);
    this.#closeApi();
    this.#hall.leave(this.#guest);
    await this.#dependencies.history.close();
    this.#state = { kind: 'closed' };
    return result;
  }

  #enter(): void {
    const { observer } = this.#dependencies;
    const namespace = this.#hall.enter(this.#guest, true);
    this.#hall.onOldClient(() => observer.observe({ kind: 'old-client', endpoint: this.name }));
    admitSockets(namespace, {
      home: this.#home,
      connections: this.#hall.connections,
      connectionsMax: this.#settings.connectionsMax,
      oldClients: 'admit',
      isOpen: () => this.#guest.isOpen(),
      ask: (socket, signal) => this.#ask(socket, signal),
      onAdmitted: (socket, connection, { session }) => this.#begin(socket, connection, session),
    });
  }

  /** Who has no name could send nothing, so it is not let in. */
  async #ask(socket: Socket, signal: AbortSignal): Promise<Admission> {
    const { admission, observer } = this.#dependencies;
    const { request, handshake } = socket;
    const id = connectionId(socket);
    const handed = { url: request.url ?? '', auth: handshake.auth, headers: request.headersDistinct };
    const answer = await admission.admit(id, spacesPresented(handed), signal);
    if (answer.kind !== 'admitted') return answer;
    const sender = senderOf(answer.session.principal, this.#settings.sender);
    if (sender.ok) return answer;
    observer.observe({ kind: 'access-denied', endpoint: this.name, connection: id, ...sender.reason });
    return { kind: 'denied', denial: sender.reason };
  }

  #begin(socket: Socket, connection: SocketioConnection, session: Session): void {
    const sender = senderOf(session.principal, this.#settings.sender);
    if (!sender.ok) return;
    const kick = () => {
      socket.disconnect();
      connection.leave('kicked');
    };
    const own = { send: (frame: Buffer) => connection.send(frame), kick };
    const member = new SpacesMember(session, sender.value, own, this.#members);
    connection.whenEnded(() => member.end());
    socket.onAny((name: unknown, body: unknown) => {
      if (connection.is('admitted')) this.#hear(member, name, body);
    });
  }

  /** Socket.IO would let the process end. */
  #hear(member: SpacesMember, name: unknown, body: unknown): void {
    try {
      member.hear(name, body);
    } catch (error) {
      this.#dependencies.observer.observe({ kind: 'endpoint-failed', endpoint: this.name, eventId: '', error });
    }
  }
}
