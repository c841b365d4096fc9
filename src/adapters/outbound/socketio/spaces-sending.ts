import { randomUUID } from 'node:crypto';
import type { MessageExchange } from '../../../application/exchange-messages.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { Event } from '../../../domain/event.ts';
import { presenceAfter } from '../../../domain/presence.ts';
import type { RoomName } from '../../../domain/room.ts';
import type { SpaceId } from '../../../domain/space.ts';
import { TokenBucket } from '../../../domain/token-bucket.ts';
import { type Refusal, type SpacesAnswer, sendFailed } from './spaces-answer.ts';
import { bodyOf, presenceNews } from './spaces-body.ts';
import { spacesEvent } from './spaces-event.ts';
import type { JsonObject, SentKind, SpacesRequest } from './spaces-request.ts';
import type { SpacesRooms } from './spaces-rooms.ts';
import type { SpacesSettings } from './spaces-settings.ts';
import type { Origin, Subscription } from './spaces-subscription.ts';

export type SendingDependencies = {
  readonly endpoint: string;
  readonly settings: SpacesSettings;
  readonly instance: string;
  readonly rooms: SpacesRooms;
  /** What it delivers comes to `deliver`. */
  readonly exchange: (deliver: (event: Event) => void) => MessageExchange;
  readonly clock: Clock;
  readonly observer: Observer;
};

/** What is to be known of a client that sends. */
export type SendingMember = {
  readonly connection: string;
  /** Events that it may send. */
  readonly events: TokenBucket;
  subscriptionTo(space: SpaceId | undefined): Subscription | undefined;
  answer(answer: SpacesAnswer): void;
};

type SendRequest = Extract<SpacesRequest, { kind: 'send' }>;

/** What the clients of an endpoint send: who may, and where it goes. */
export class SpacesSending {
  readonly #dependencies: SendingDependencies;
  readonly #exchange: MessageExchange;
  readonly #buckets = new Map<RoomName, TokenBucket>();
  /** Of the event that is being put into its room at this moment. */
  #origin: Origin | undefined;
  #isStopping = false;

  constructor(dependencies: SendingDependencies) {
    this.#dependencies = dependencies;
    this.#exchange = dependencies.exchange((event) => {
      if (this.#origin) dependencies.rooms.deliverOwn(event, this.#origin);
    });
  }

  /** From here on everything is refused. Resolves as `MessageExchange.settled`, and never rejects. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    await this.#exchange.settled(deadline);
    await this.#dependencies.rooms.returned(deadline);
  }

  /** Every request is sent or answered with a refusal. */
  take(member: SendingMember, request: SendRequest): void {
    const { clock } = this.#dependencies;
    if (this.#isStopping) {
      this.#refuse(member, request, stopping);
      return;
    }
    const subscription = member.subscriptionTo(request.space);
    const now = clock.now();
    const refusal = this.#refusal(member, subscription, request, now);
    if (refusal || !subscription) {
      this.#refuse(member, request, refusal ?? notSubscribed);
      return;
    }
    const event = this.#eventOf(subscription, request.sent, request.body, now);
    if (event.ok) this.#send(member, subscription, request, event.value);
    else this.#refuse(member, request, event.refusal);
  }

  /** In the name of a client that cannot say it itself any more. No limit keeps it from the others. */
  announce(subscription: Subscription, request: JsonObject): void {
    const event = this.#eventOf(subscription, 'presence', request, this.#dependencies.clock.now());
    if (event.ok) void this.#exchangeOf(event.value, { subscription, loopback: undefined });
  }

  #refusal(
    member: SendingMember,
    subscription: Subscription | undefined,
    { mistake }: SendRequest,
    now: number,
  ): Refusal | undefined {
    const { settings } = this.#dependencies;
    if (!member.events.take(now)) {
      return { code: 'tooFast', message: `a socket may send ${settings.eventsPerSecondMax} events in a second` };
    }
    if (!subscription) return notSubscribed;
    if (mistake !== undefined) return { code: 'invalid', message: mistake };
    if (!this.#bucketOf(subscription.room, now).take(now)) {
      return { code: 'tooFast', message: `a space takes ${settings.spaceEventsPerSecondMax} events in a second` };
    }
    return undefined;
  }

  #eventOf(
    subscription: Subscription,
    sent: SentKind,
    request: JsonObject,
    now: number,
  ): { ok: true; value: Event } | { ok: false; refusal: Refusal } {
    const { settings, instance, endpoint } = this.#dependencies;
    const { peer, space, sessionId } = subscription;
    const id = randomUUID();
    const sending = {
      id,
      space,
      sender: peer.sender,
      sessionId,
      now: new Date(now).toISOString(),
      withAttendee: settings.presence.attendee,
    };
    const text = JSON.stringify(bodyOf(sent, request, sending));
    // What is for the sender alone is sent, and kept, as well.
    const loopback = request['loopbackMetadata'];
    const bytes = Buffer.byteLength(text) + Buffer.byteLength(JSON.stringify(loopback) ?? '');
    if (bytes > settings.eventBytesMax) {
      const message = `an event may have ${settings.eventBytesMax} bytes`;
      return { ok: false, refusal: { code: 'tooLarge', message } };
    }
    const place = { stream: settings.publish.stream, source: endpoint, instance, now };
    return { ok: true, value: spacesEvent(sent, id, space, text, place) };
  }

  #send(member: SendingMember, subscription: Subscription, request: SendRequest, event: Event): void {
    const { endpoint, observer } = this.#dependencies;
    const { sent, body } = request;
    if (sent === 'presence') {
      subscription.presence = presenceAfter(subscription.presence, presenceNews(body['category']));
    }
    observer.observe({ kind: 'client-event', endpoint, outcome: 'taken' });
    void this.#exchangeOf(event, { subscription, loopback: body['loopbackMetadata'] }).then((outcome) => {
      if (outcome === 'unconfirmed') this.#refuse(member, request, notSent);
    });
  }

  #exchangeOf(event: Event, origin: Origin): Promise<'sent' | 'unconfirmed'> {
    const { rooms, settings } = this.#dependencies;
    if (settings.order === 'broker') rooms.await(event, origin);
    // What is delivered here is delivered before the call returns.
    this.#origin = origin;
    const sent = this.#exchange.send(event);
    this.#origin = undefined;
    return sent;
  }

  /** Those that are full hold nothing that a new one would not. */
  #bucketOf(room: RoomName, now: number): TokenBucket {
    const existing = this.#buckets.get(room);
    if (existing) return existing;
    if (this.#buckets.size >= bucketsMax) {
      for (const [each, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(each);
    }
    const bucket = new TokenBucket(this.#dependencies.settings.spaceEventsPerSecondMax, now);
    this.#buckets.set(room, bucket);
    return bucket;
  }

  #refuse(member: SendingMember, { sent, body }: SendRequest, refusal: Refusal): void {
    const { endpoint, observer, settings } = this.#dependencies;
    const { connection } = member;
    observer.observe({ kind: 'client-event', endpoint, connection, outcome: 'refused', code: refusal.code });
    member.answer(sendFailed(sent, body, refusal, settings));
  }
}

/** Somebody was in all of these within a second or two. */
const bucketsMax = 10_000;

const notSubscribed: Refusal = { code: 'notSubscribed', message: 'subscribe to the channel first' };
const notSent: Refusal = { code: 'notSent', message: 'the broker has not confirmed it; it may come all the same' };
const stopping: Refusal = {
  code: 'tryLater',
  message: 'this instance stops: send it again when you are connected again',
};
