import type { Socket } from 'socket.io';
import type { ConnectionAdmission } from '../../../application/ports/admission.ts';
import type { ClientGateway, GatewayState } from '../../../application/ports/client-gateway.ts';
import type { DeliveryChannel } from '../../../application/ports/delivery-channel.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import { createFlushSchedule } from '../flush-schedule.ts';
import { presentedBy } from '../presented-by.ts';
import { RoomIndex } from '../room-index.ts';
import type { SendBudget } from '../send-budget.ts';
import { SendQueues } from '../send-queue.ts';
import { textFrame } from '../text-frame.ts';
import { admitSockets } from './admit-sockets.ts';
import { closeConnections } from './close-connections.ts';
import type { ConnectionHome, SocketioConnection } from './socketio-connection.ts';
import { type HallDependencies, SocketioHall } from './socketio-hall.ts';
import { createSocketioEncoder } from './socketio-message.ts';
import type { SocketioSettings } from './socketio-settings.ts';

export type SocketioDependencies = HallDependencies & {
  readonly admission: ConnectionAdmission;
  readonly observer: Observer;
  /** Shared with the other endpoints of the process. */
  readonly budget: SendBudget;
  /** Shared with the other endpoints of its path; by default one of its own. */
  readonly hall?: SocketioHall | undefined;
};

/** An endpoint for Socket.IO clients. Those that are cut, or whose gateway closes, come back by themselves. */
export function createSocketioEndpoint(
  name: string,
  settings: SocketioSettings,
  { admission, observer, budget, ...dependencies }: SocketioDependencies,
): DeliveryChannel & ClientGateway {
  const { namespace, connectionsMax, coalesceDelayMs } = settings;
  const { clock } = dependencies;
  const hall = dependencies.hall ?? new SocketioHall(settings, dependencies);
  const encode = createSocketioEncoder(settings);
  const queues = new SendQueues(settings.sendQueueBytesMax, budget, createFlushSchedule(coalesceDelayMs, clock));
  const rooms = new RoomIndex<SocketioConnection>();
  const home: ConnectionHome = { endpoint: name, observer, queues, rooms, counts: { admitting: 0, admitted: 0 } };
  let state: GatewayState = { kind: 'closed' };
  let closing: ReturnType<ClientGateway['close']> | undefined;
  const isOpen = () => state.kind === 'open';
  const guest = { namespace, connectionsMax, isOpen };
  const { connections } = hall;
  const ask = ({ id, request, handshake }: Socket, signal: AbortSignal) =>
    admission.admit(
      id,
      presentedBy({
        url: request.url ?? '',
        get headers() {
          return request.headersDistinct;
        },
        auth: handshake.auth,
      }),
      signal,
    );
  admitSockets(hall.enter(guest, false), { home, connections, connectionsMax, oldClients: 'bare', isOpen, ask });

  async function close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    state = { kind: 'closing' };
    const result = await closeConnections(hall, home, deadline);
    hall.leave(guest);
    state = { kind: 'closed' };
    return result;
  }

  return {
    name,
    get state() {
      return state;
    },
    get connectionCount() {
      return home.counts.admitted;
    },
    async open() {
      hall.open();
      state = { kind: 'open' };
    },
    close(deadline) {
      closing ??= close(deadline);
      return closing;
    },
    deliver(event, target) {
      const count = { queued: 0, dropped: 0 };
      let frame: Buffer | undefined;
      for (const connection of rooms.membersOf(target.rooms)) {
        frame ??= textFrame(encode(event));
        count[connection.send(frame) ? 'queued' : 'dropped'] += 1;
      }
      return count;
    },
  };
}
