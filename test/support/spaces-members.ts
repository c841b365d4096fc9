import { HistoryLosses } from '../../src/adapters/outbound/socketio/history-losses.ts';
import { SpacesMember } from '../../src/adapters/outbound/socketio/spaces-member.ts';
import { SpacesRooms } from '../../src/adapters/outbound/socketio/spaces-rooms.ts';
import { SpacesSending } from '../../src/adapters/outbound/socketio/spaces-sending.ts';
import { spacesSettings } from '../../src/adapters/outbound/socketio/spaces-settings.ts';
import { textOfFrame } from '../../src/adapters/outbound/text-frame.ts';
import { createMemoryHistory } from '../../src/adapters/store/memory-history.ts';
import { createMessageExchange, type MessageOrder } from '../../src/application/exchange-messages.ts';
import type { Session, SpaceAdmission } from '../../src/application/ports/admission.ts';
import type { History } from '../../src/application/ports/history.ts';
import type { Event } from '../../src/domain/event.ts';
import { anonymous, type Principal } from '../../src/domain/principal.ts';
import type { RoomName } from '../../src/domain/room.ts';
import { parseRoomTemplate } from '../../src/domain/room-template.ts';
import { ManualClock } from './manual-clock.ts';
import { recordingObserver } from './recording-observer.ts';

export type FakeMember = {
  readonly member: SpacesMember;
  readonly events: (readonly [name: string, body: Readonly<Record<string, unknown>>])[];
  readonly kicked: () => boolean;
  of(name: string): readonly Readonly<Record<string, unknown>>[];
};

export type MembersOptions = {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly mayJoin?: SpaceAdmission['mayJoin'];
  readonly history?: History;
  readonly publish?: (event: Event) => Promise<void>;
};

/** An endpoint for spaces without its sockets. */
export function spacesMembers({
  settings: own = {},
  mayJoin = () => ({ kind: 'member' }),
  ...options
}: MembersOptions = {}) {
  const settings = spacesSettings.parse({ publish: { to: 'broker', stream: 'spaces' }, ...own });
  const clock = new ManualClock();
  const observer = recordingObserver();
  const template = parseRoomTemplate(settings.space);
  if (!template.ok) throw new Error(template.reason);
  const published: Event[] = [];
  const publish = options.publish ?? (async (event: Event) => void published.push(event));
  const history = options.history ?? createMemoryHistory(settings.history, clock);
  const losses = new HistoryLosses();
  const shared = { endpoint: 'spaces', settings, clock, observer };
  const rooms = new SpacesRooms({ ...shared, template: template.value, instance: 'this', history, losses });
  const order: MessageOrder = settings.order;
  const { publishTimeoutMs } = settings;
  const sending = new SpacesSending({
    ...shared,
    instance: 'this',
    rooms,
    exchange: (deliver) =>
      createMessageExchange({ ...shared, publisher: { publish }, order, publishTimeoutMs, deliver }),
  });
  let isClosing = false;
  const home = {
    ...shared,
    template: template.value,
    rooms,
    sending,
    admission: { mayJoin },
    isClosing: () => isClosing,
  };

  function open(user: string, type: 'user' | 'anonymous' = 'user', principal: Principal = anonymous): FakeMember {
    const session: Session = { connection: user, principal, variables: new Map(), tokens: new Map() };
    const events: FakeMember['events'] = [];
    let isKicked = false;
    const socket = {
      send(frame: Buffer) {
        const text = textOfFrame(frame);
        events.push(JSON.parse(text.slice(text.indexOf('['))));
        return true;
      },
      kick() {
        isKicked = true;
      },
    };
    const member = new SpacesMember(session, { _id: user, type }, socket, home);
    const of = (name: string) => events.filter(([each]) => each === name).map(([, body]) => body);
    return { member, events, of, kicked: () => isKicked };
  }

  return {
    open,
    published,
    clock,
    observer,
    history,
    losses,
    rooms,
    close: () => {
      isClosing = true;
    },
    /** As a source and a route would hand it over. */
    deliver: (event: Event) => rooms.deliver(event, [`spaces/${event.key}` as RoomName]),
  };
}

export const subscribe = ({ member }: FakeMember, space: string, more = {}): void =>
  member.hear('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space, ...more } });

export const unsubscribe = ({ member }: FakeMember, space: string): void =>
  member.hear('UNSUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space } });

export const say = ({ member }: FakeMember, space: string, bodyText: string, more = {}): void =>
  member.hear('SEND_MESSAGE', { content: { bodyText }, topicId: space, ...more });
