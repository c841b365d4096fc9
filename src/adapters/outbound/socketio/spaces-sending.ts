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

/** One that waits until it is known whether its sender may be in the space. */
export type HeldRequest = { readonly request: SendRequest; readonly bytes: number };

/** Of all that is held by an endpoint, in JSON. */
const heldBytesMax = 16 * 1024 * 1024;

/** What the clients of an endpoint send: who may, and where it goes. */
export class SpacesSending {
  readonly #dependencies: SendingDependencies;
  readonly #exchange: MessageExchange;
  readonly #buckets = new Map<RoomName, TokenBucket>();
  /** Of the event that is being put into its room at this moment. */
  #origin: Origin | undefined;
  #isStopping = false;
  #heldBytes = 0;

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
    const tooFast = this.#tooFast(member, clock.now());
    if (tooFast) this.#refuse(member, request, tooFast);
    else this.#take(member, request);
  }

  /**
   * Keeps it until `release` or `drop`, or answers it with a refusal. It counts as sent now, and is no larger than one
   * that is sent.
   *
   * @param roomFor how many more the member may have waiting.
   */
  hold(member: SendingMember, request: SendRequest, roomFor: number): HeldRequest | undefined {
    const { clock, settings } = this.#dependencies;
    const bytes = Buffer.byteLength(JSON.stringify(request.body));
    const refusal = this.#tooFast(member, clock.now()) ?? this.#unheld(bytes, settings.eventBytesMax, roomFor);
    if (refusal) {
      this.#refuse(member, request, refusal);
      return undefined;
    }
    this.#heldBytes += bytes;
    return { request, bytes };
  }

  /** It is known what becomes of its sender, so it is of this. */
  release(member: SendingMember, { request, bytes }: HeldRequest): void {
    this.#heldBytes -= bytes;
    this.#take(member, request);
  }

  /** Their sender has gone. */
  drop(held: readonly HeldRequest[]): void {
    for (const { bytes } of held) this.#heldBytes -= bytes;
  }

  #unheld(bytes: number, eventBytesMax: number, roomFor: number): Refusal | undefined {
    if (bytes > eventBytesMax) return tooLarge(eventBytesMax);
    if (roomFor <= 0) return { code: 'tooFast', message: 'so many wait for the answer to the subscription already' };
    return this.#heldBytes + bytes > heldBytesMax ? { code: 'tryLater', message: 'too much waits already' } : undefined;
  }

  #take(member: SendingMember, request: SendRequest): void {
    const { clock } = this.#dependencies;
    if (this.#isStopping) {
      this.#refuse(member, request, stopping);
      return;
    }
    const subscription = member.subscriptionTo(request.space);
    const now = clock.now();
    const refusal = this.#refusal(subscription, request, now);
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
    if (!event.ok) return;
    const origin = { subscription, loopback: undefined };
    // Those who are here hear of it, though the broker is away: nobody would say it again.
    void this.#exchangeOf(event.value, origin).then((outcome) => {
      if (outcome === 'unconfirmed') this.#dependencies.rooms.deliverOwn(event.value, origin);
    });
  }

  #tooFast({ events }: SendingMember, now: number): Refusal | undefined {
    if (events.take(now)) return undefined;
    const message = `a socket may send ${this.#dependencies.settings.eventsPerSecondMax} events in a second`;
    return { code: 'tooFast', message };
  }

  #refusal(subscription: Subscription | undefined, { mistake }: SendRequest, now: number): Refusal | undefined {
    const { settings } = this.#dependencies;
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
      return { ok: false, refusal: tooLarge(settings.eventBytesMax) };
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
const tooLarge = (bytesMax: number): Refusal => ({
  code: 'tooLarge',
  message: `an event may have ${bytesMax} bytes`,
});
const notSent: Refusal = { code: 'notSent', message: 'the broker has not confirmed it; it may come all the same' };
const stopping: Refusal = {
  code: 'tryLater',
  message: 'this instance stops: send it again when you are connected again',
};
