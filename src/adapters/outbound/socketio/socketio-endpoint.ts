import type { Namespace } from 'socket.io';
import type { ConnectionAdmission } from '../../../application/ports/admission.ts';
import type { ClientGateway, GatewayState } from '../../../application/ports/client-gateway.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { DeliveryChannel } from '../../../application/ports/delivery-channel.ts';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import { RoomIndex } from '../room-index.ts';
import type { SendBudget } from '../send-budget.ts';
import { SendQueues } from '../send-queue.ts';
import { textFrame } from '../text-frame.ts';
import { admitSockets } from './admit-sockets.ts';
import { followConnections } from './follow-connections.ts';
import { openDoor } from './open-door.ts';
import type { ConnectionHome, SocketioConnection } from './socketio-connection.ts';
import { createSocketioEncoder } from './socketio-message.ts';
import { createSocketioServer } from './socketio-server.ts';
import type { SocketioSettings } from './socketio-settings.ts';

export type SocketioDependencies = {
  readonly admission: ConnectionAdmission;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly surface: HttpSurface;
  /** Shared with the other endpoints of the process. */
  readonly budget: SendBudget;
};

/**
 * Of `connectionsMax`: so many may be open in all. Those beyond the maximum itself are there only to be told so, and
 * are soon gone.
 */
const openShareMax = 2;

/** An endpoint for Socket.IO clients. Those that are cut, or whose gateway closes, come back by themselves. */
export function createSocketioEndpoint(
  name: string,
  settings: SocketioSettings,
  { admission, observer, clock, surface, budget }: SocketioDependencies,
): DeliveryChannel & ClientGateway {
  const { namespace, path, connectionsMax, pollingMsMax } = settings;
  const { io, engine } = createSocketioServer(settings);
  const encode = createSocketioEncoder(settings);
  const queues = new SendQueues(settings.sendQueueBytesMax, budget);
  const rooms = new RoomIndex<SocketioConnection>();
  const counts = { waiting: 0, admitting: 0, admitted: 0, ended: 0 };
  const home: ConnectionHome = { endpoint: name, clock, observer, queues, rooms, counts };
  let state: GatewayState = { kind: 'closed' };
  let closing: ReturnType<ClientGateway['close']> | undefined;
  let closeDoor = () => {};
  const isOpen = () => state.kind === 'open';
  const connections = followConnections(engine, home, pollingMsMax, isOpen);
  admitSockets(io.of(namespace), { home, connections, connectionsMax, admission });
  if (namespace !== '/') refuseEverybody(io.of('/'));

  async function close(deadline: AbortSignal): Promise<{ flushed: number; cut: number }> {
    state = { kind: 'closing' };
    for (const connection of connections.values()) {
      if (!connection.is('admitted')) connection.comeBack('gateway_closing');
    }
    await queues.flushed(deadline);
    const result = { flushed: 0, cut: 0 };
    for (const connection of connections.values()) {
      if (connection.is('admitted')) result[connection.queuedBytes > 0 ? 'cut' : 'flushed'] += 1;
      if (connection.queuedBytes > 0) connection.observeCut(connection.queuedBytes);
      connection.comeBack('gateway_closing');
    }
    closeDoor();
    state = { kind: 'closed' };
    return result;
  }

  return {
    name,
    get state() {
      return state;
    },
    get connectionCount() {
      return counts.admitted;
    },
    async open() {
      closeDoor = openDoor(surface, path, engine, () => isOpen() && connections.size < connectionsMax * openShareMax);
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

/** Socket.IO always has the namespace `/`. Where it is not the endpoint's, it is answered like one that is not there. */
function refuseEverybody(root: Namespace): void {
  root.use((_, next) => next(new Error('Invalid namespace')));
}
