import { RoomIndex } from '../../src/adapters/outbound/room-index.ts';
import { SendBudget } from '../../src/adapters/outbound/send-budget.ts';
import { SendQueues } from '../../src/adapters/outbound/send-queue.ts';
import { EventFrames } from '../../src/adapters/outbound/signalr/event-frames.ts';
import { HubConnection, type HubHome, type HubSocket } from '../../src/adapters/outbound/signalr/hub-connection.ts';
import { jsonProtocol } from '../../src/adapters/outbound/signalr/json-protocol.ts';
import { messagePackProtocol } from '../../src/adapters/outbound/signalr/message-pack-protocol.ts';
import { signalrSettings } from '../../src/adapters/outbound/signalr/signalr-settings.ts';
import type { RoomAdmission } from '../../src/application/ports/admission.ts';
import { anonymous } from '../../src/domain/principal.ts';
import type { RoomName } from '../../src/domain/room.ts';
import { eventOf } from './domain-fixtures.ts';
import { ManualClock } from './manual-clock.ts';
import { recordingObserver } from './recording-observer.ts';

/** A socket that takes everything at once, and keeps it. */
export type FakeSocket = HubSocket & {
  readonly frames: readonly Buffer[];
  ended: 'closed' | 'terminated' | undefined;
  isPaused: boolean;
};

export function fakeSocket(): FakeSocket {
  const frames: Buffer[] = [];
  return {
    frames,
    ended: undefined,
    isPaused: false,
    write(run) {
      frames.push(...run.frames);
      return true;
    },
    close() {
      this.ended ??= 'closed';
    },
    terminate() {
      this.ended ??= 'terminated';
    },
    pause() {
      this.isPaused = true;
    },
    resume() {
      this.isPaused = false;
    },
  };
}

/** What a hub has, without a server: connections on fake sockets, each in one room. */
export function fakeHub(join: RoomAdmission['join'], options: Readonly<Record<string, unknown>> = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const rooms = new RoomIndex<HubConnection>();
  const queues = new SendQueues(1_048_576, new SendBudget(Number.MAX_SAFE_INTEGER, clock, () => undefined));
  const settings = signalrSettings.parse({ query: { site: {} }, subscriptions: true, streaming: true, ...options });
  const home: HubHome = {
    endpoint: 'hub',
    clock,
    observer,
    rooms,
    queues,
    settings,
    joining: { join },
    fields: ['site'],
    protocols: new Map([
      ['json', jsonProtocol],
      ['messagepack', messagePackProtocol],
    ]),
    counts: { greeting: 0, active: 0, closing: 0, ended: 0 },
    lookedAt: { now: clock.now() },
  };
  return {
    clock,
    home,
    connect(room: string) {
      const socket = fakeSocket();
      const session = { connection: room, principal: anonymous, variables: new Map(), tokens: new Map() };
      const connection = new HubConnection(socket, { session, rooms: [room as RoomName], key: room }, home);
      return { socket, connection };
    },
    deliver(among: string | readonly string[], text: string) {
      const frames = new EventFrames(eventOf({}, { payload: Buffer.from(text) }), settings, (error) => {
        throw error;
      });
      for (const connection of rooms.membersOf([among].flat() as RoomName[])) connection.deliver(frames);
    },
  };
}
