import { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { DeliveryCount } from '../../../application/ports/delivery-channel.ts';
import type { History } from '../../../application/ports/history.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import { Event } from '../../../domain/event.ts';
import type { RoomName } from '../../../domain/room.ts';
import { type RoomTemplate, valuesOf } from '../../../domain/room-template.ts';
import { RoomIndex } from '../room-index.ts';
import { textFrame } from '../text-frame.ts';
import { AwaitedCopies } from './awaited-copies.ts';
import type { HistoryLosses } from './history-losses.ts';
import { SeenIds } from './seen-ids.ts';
import type { SpacesAnswer } from './spaces-answer.ts';
import {
  attributeNames,
  type ControlName,
  clientBody,
  idOf,
  messageIdOf,
  nameOf,
  payloadOf,
  type SpacesEventName,
} from './spaces-event.ts';
import type { JsonObject } from './spaces-request.ts';
import type { SpacesSettings } from './spaces-settings.ts';
import {
  type AudienceRules,
  forEverybody,
  isAudience,
  type Origin,
  receiversOf,
  type SpacesPeer,
  type Subscription,
} from './spaces-subscription.ts';

export type RoomsDependencies = {
  readonly endpoint: string;
  readonly settings: Pick<SpacesSettings, 'namespace' | 'message' | 'presence' | 'media' | 'order'>;
  readonly template: RoomTemplate;
  /** Of this process: what it has put into a room itself comes back under this name. */
  readonly instance: string;
  readonly history: History;
  readonly losses: HistoryLosses;
  readonly clock: Clock;
  readonly observer: Observer;
};

const seenMax = 20_000;
const returnMsMax = 1000;

/** The spaces of an endpoint: who is in which, and what becomes of an event that is for one. */
export class SpacesRooms {
  readonly #dependencies: RoomsDependencies;
  readonly #members = new RoomIndex<Subscription>();
  readonly #awaited = new AwaitedCopies();
  readonly #seen = new SeenIds(seenMax);
  readonly #prefix: string;
  #rechecks = 0;

  constructor(dependencies: RoomsDependencies) {
    const { namespace } = dependencies.settings;
    this.#dependencies = dependencies;
    this.#prefix = namespace === '/' ? '42' : `42${namespace},`;
  }

  join(subscription: Subscription): void {
    this.#members.join(subscription, [subscription.room]);
  }

  leave(subscription: Subscription): void {
    this.#members.leave(subscription, [subscription.room]);
  }

  membersOf(room: RoomName): readonly Subscription[] {
    return [...this.#members.membersOf([room])];
  }

  /** How often somebody has asked for members to be looked at again. */
  get rechecks(): number {
    return this.#rechecks;
  }

  /** A copy of it will come back: this is for its sender. */
  await(event: Event, origin: Origin): void {
    const text = origin.loopback === undefined ? '' : JSON.stringify(origin.loopback);
    this.#awaited.add(event.id, origin, event.id.length + text.length);
  }

  /** It has gone. */
  forget(peer: SpacesPeer): void {
    this.#awaited.forget(peer);
  }

  /** Resolves once all copies that are waited for have come, after a second or when the signal aborts. */
  async returned(deadline: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies;
    const given = new AbortController();
    // What was never confirmed may never come.
    const late = clock.wait(returnMsMax, AbortSignal.any([deadline, given.signal]));
    await Promise.race([this.#awaited.emptied(), late]);
    given.abort();
  }

  frame([name, body]: SpacesAnswer): Buffer {
    return textFrame(`${this.#prefix}["${name}",${JSON.stringify(body)}]`);
  }

  /** An event that a client of this instance has just sent. */
  deliverOwn(event: Event, origin: Origin): void {
    const { room, space } = origin.subscription;
    const name = nameOf(event);
    // A copy may come back all the same.
    if (this.#dependencies.settings.order === 'broker') this.#seen.add(`${room} ${idOf(event)}`);
    if (name && !isControl(name)) this.#spread(event, name, room, space, origin);
  }

  /** An event that has come through a source. Throws a `Fault` where nobody knows what it is. */
  deliver(event: Event, rooms: readonly RoomName[]): DeliveryCount {
    const { template, instance, settings, endpoint } = this.#dependencies;
    const count = { queued: 0, dropped: 0 };
    const places = rooms.flatMap((room) => {
      const space = valuesOf(template, room)?.get('space');
      return space === undefined ? [] : [{ room, space }];
    });
    if (places.length === 0) return count;
    const name = nameOf(event);
    if (!name) throw unknownEvent(endpoint, event);
    const isBack = settings.order === 'local' && event.attributes.get(attributeNames.instance) === instance;
    if (isBack) return count;
    const origin = this.#awaited.take(idOf(event));
    for (const { room, space } of places) {
      if (!this.#seen.add(`${room} ${idOf(event)}`)) continue;
      if (isControl(name)) {
        this.#control(name, room, payloadOf(event));
      } else {
        const { queued, dropped } = this.#spread(event, name, room, space, origin);
        count.queued += queued;
        count.dropped += dropped;
      }
    }
    return count;
  }

  #spread(event: Event, name: SpacesEventName, room: RoomName, space: string, origin?: Origin): DeliveryCount {
    const count = { queued: 0, dropped: 0 };
    const body = clientBody(event, name, space);
    if (name === 'MESSAGE_SENT') this.#keep(event, room, body);
    const rules = this.#rulesOf(name);
    const receivers = receiversOf(body, name === 'MESSAGE_SENT' ? body['sender'] : undefined);
    let frame: Buffer | undefined;
    for (const subscription of this.membersOf(room)) {
      if (!isAudience(subscription, receivers, origin, rules)) continue;
      const isSender = origin?.subscription.peer === subscription.peer && origin.loopback !== undefined;
      frame ??= this.frame([name, body]);
      const own = isSender ? this.frame([name, { ...body, loopbackMetadata: origin.loopback }]) : frame;
      count[subscription.peer.send(own) ? 'queued' : 'dropped'] += 1;
    }
    return count;
  }

  /** As clients get it, whatever the back-end left out. */
  #keep(event: Event, room: RoomName, body: JsonObject): void {
    const { history, losses, endpoint, observer } = this.#dependencies;
    const { stream, key, publishedAt, origin } = event;
    const kept = new Event({
      id: messageIdOf(body) ?? idOf(event),
      stream,
      key,
      attributes: new Map(),
      payload: Buffer.from(JSON.stringify(body)),
      contentType: 'application/json',
      publishedAt,
      origin,
    });
    history.append(room, kept).then(
      () => losses.kept(),
      (error: unknown) => {
        losses.lost(room);
        observer.observe({ kind: 'history-failed', endpoint, error });
      },
    );
  }

  /** Of one user, where it names one, else of everybody. */
  #control(name: ControlName, room: RoomName, { userId }: JsonObject): void {
    if (name === 'MEMBERS_RECHECK') this.#rechecks += 1;
    for (const { peer, space } of this.membersOf(room)) {
      if (typeof userId === 'string' && peer.sender._id !== userId) continue;
      if (name === 'MEMBERS_RECHECK') peer.recheck(space);
      else if (typeof userId === 'string') peer.kick();
    }
  }

  #rulesOf(name: SpacesEventName): AudienceRules {
    const { message, presence, media } = this.#dependencies.settings;
    if (name === 'MESSAGE_SENT') return message;
    if (name === 'PRESENCE_EVENT_RESPONSE') return presence;
    return name === 'MEDIA_SESSION_RESPONSE' ? media : forEverybody;
  }
}

const isControl = (name: SpacesEventName | ControlName): name is ControlName =>
  name === 'MEMBERS_RECHECK' || name === 'MEMBER_KICK';

const unknownEvent = (endpoint: string, event: Event): Fault =>
  new Fault(
    'spaces_event_unknown',
    'dead-letter',
    `endpoint "${endpoint}": event ${event.id} has an unknown ${attributeNames.name}; see docs/presets/avaya-spaces.md`,
  );
