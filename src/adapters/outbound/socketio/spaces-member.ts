import { randomUUID } from 'node:crypto';
import type { Session, SpaceAdmission, SpaceAnswer } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import { type Departure, isLeavingTold } from '../../../domain/presence.ts';
import { expand, type RoomTemplate } from '../../../domain/room-template.ts';
import type { SpaceId } from '../../../domain/space.ts';
import { TokenBucket } from '../../../domain/token-bucket.ts';
import { MemberRechecks } from './member-rechecks.ts';
import { type Refusal, type SpacesAnswer, subscribed, subscribeFailed, unsubscribed } from './spaces-answer.ts';
import { leavingRequest, type Sender } from './spaces-body.ts';
import { readSpacesRequest, type SpacesRequest } from './spaces-request.ts';
import type { SpacesRooms } from './spaces-rooms.ts';
import type { HeldRequest, SendingMember, SpacesSending } from './spaces-sending.ts';
import type { SpacesSettings } from './spaces-settings.ts';
import type { SpacesPeer, Subscription } from './spaces-subscription.ts';

/** What the members of an endpoint share. */
export type MemberHome = {
  readonly endpoint: string;
  readonly settings: SpacesSettings;
  readonly template: RoomTemplate;
  readonly rooms: SpacesRooms;
  readonly sending: SpacesSending;
  readonly admission: SpaceAdmission;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Whether clients are about to come back elsewhere, so that nobody leaves. */
  readonly isClosing: () => boolean;
};

/** The socket of a member. */
export type MemberSocket = { send(frame: Buffer): boolean; kick(): void };

type Subscribe = Extract<SpacesRequest, { kind: 'subscribe' }>;
type Send = Extract<SpacesRequest, { kind: 'send' }>;

/**
 * A subscription that is looked at; `times`: how often the client has asked for it meanwhile, `held`: what it has sent to
 * the space without waiting for the answer.
 */
type Pending = {
  readonly request: Subscribe;
  readonly gone: AbortController;
  times: number;
  readonly held: HeldRequest[];
};

/** Of one client, over all spaces that it waits for; further ones are refused. */
const heldMax = 64;

/** One client that is let in: what it has subscribed to, and is about to. */
export class SpacesMember implements SpacesPeer, SendingMember {
  readonly sender: Sender;
  readonly connection: string;
  readonly events: TokenBucket;
  readonly #session: Session;
  readonly #socket: MemberSocket;
  readonly #home: MemberHome;
  readonly #subscriptions = new Map<SpaceId, Subscription>();
  readonly #pending = new Map<SpaceId, Pending>();
  /** Once somebody has wanted it to be looked at again. */
  #rechecks: MemberRechecks | undefined;
  readonly #subscribes: TokenBucket;
  #heldCount = 0;

  constructor(session: Session, sender: Sender, socket: MemberSocket, home: MemberHome) {
    const { settings, clock } = home;
    this.connection = session.connection;
    this.#session = session;
    this.sender = sender;
    this.#socket = socket;
    this.#home = home;
    this.#subscribes = new TokenBucket(settings.subscribesPerSecondMax, clock.now());
    this.events = new TokenBucket(settings.eventsPerSecondMax, clock.now());
  }

  subscriptionTo(space: SpaceId | undefined): Subscription | undefined {
    return space === undefined ? undefined : this.#subscriptions.get(space);
  }

  send(frame: Buffer): boolean {
    return this.#socket.send(frame);
  }

  answer(answer: SpacesAnswer): void {
    this.send(this.#home.rooms.frame(answer));
  }

  kick(): void {
    this.#socket.kick();
  }

  hear(name: unknown, body: unknown): void {
    const request = readSpacesRequest(name, body);
    if (!request) {
      // Nobody answers it, but it is not for nothing.
      this.events.take(this.#home.clock.now());
      return;
    }
    switch (request.kind) {
      case 'subscribe':
        this.#subscribe(request);
        return;
      case 'unsubscribe':
        // Leaving is never refused; who does nothing else can send nothing else.
        this.events.take(this.#home.clock.now());
        if (request.space !== undefined) this.#leave(request.space, 'unsubscribed');
        this.answer(unsubscribed(request.id));
        return;
      case 'send':
        this.#send(request);
        return;
    }
  }

  /** The client has gone. */
  end(): void {
    this.#rechecks?.end();
    for (const { gone, held } of this.#pending.values()) {
      gone.abort();
      this.#home.sending.drop(held);
    }
    this.#pending.clear();
    for (const space of this.#subscriptions.keys()) this.#leave(space, 'lost');
    this.#home.rooms.forget(this);
  }

  recheck(space: SpaceId): void {
    this.#rechecks ??= this.#beginRechecks();
    this.#rechecks.demand(space);
  }

  #beginRechecks(): MemberRechecks {
    return new MemberRechecks({
      ...{ session: this.#session, clock: this.#home.clock, admission: this.#home.admission },
      subscriptionTo: (space) => this.#subscriptions.get(space),
      remove: (space) => {
        this.#leave(space, 'removed');
        this.answer(unsubscribed(space));
      },
    });
  }

  #send(request: Send): void {
    const pending = request.space === undefined ? undefined : this.#pending.get(request.space);
    if (!pending) {
      this.#home.sending.take(this, request);
      return;
    }
    const held = this.#home.sending.hold(this, request, heldMax - this.#heldCount);
    if (!held) return;
    pending.held.push(held);
    this.#heldCount += 1;
  }

  /** It is known what becomes of the subscription, so it is of these. */
  #release({ held }: Pending): void {
    this.#heldCount -= held.length;
    for (const each of held) this.#home.sending.release(this, each);
  }

  #subscribe(request: Subscribe): void {
    const { settings, clock, isClosing } = this.#home;
    const { space, mistake } = request;
    if (isClosing()) {
      this.#refuse(request, {
        code: 'tryLater',
        message: 'this instance stops: ask again when you are connected again',
      });
      return;
    }
    if (!this.#subscribes.take(clock.now())) {
      const message = `a socket may subscribe ${settings.subscribesPerSecondMax} times in a second`;
      this.#refuse(request, { code: 'tooFast', message });
      return;
    }
    if (space === undefined || mistake !== undefined) {
      this.#refuse(request, { code: 'invalid', message: mistake ?? 'the channel has no valid _id' });
      return;
    }
    const present = this.#subscriptions.get(space);
    const pending = this.#pending.get(space);
    const { password } = request;
    // Another password is another question; it alone is answered, to all who asked before.
    const isNew = password !== undefined && password !== (pending ? pending.request.password : present?.password);
    if (pending) pending.times += 1;
    if (isNew && (present || pending)) this.#ask(request, space, pending);
    else if (pending) return;
    else if (present) this.answer(subscribed(space, present.dtsid, present.sessionId));
    else if (this.#subscriptions.size + this.#pending.size >= settings.spacesPerConnectionMax) {
      this.#refuse(request, {
        code: 'tooMany',
        message: `a socket may be in ${settings.spacesPerConnectionMax} spaces`,
      });
    } else if (this.#isExpired()) this.#refuse(request, { code: 'forbidden', message: 'the token has expired' });
    else this.#ask(request, space);
  }

  /** Of one that stays all the same; what it is in already it stays in. */
  #isExpired(): boolean {
    const { expiresAt } = this.#session.principal;
    return expiresAt !== undefined && expiresAt <= this.#home.clock.now();
  }

  /** At once where nobody else is to be asked, so that what the client sends right behind it is heard as a member's. */
  #ask(request: Subscribe, space: SpaceId, earlier?: Pending): void {
    const { admission, rooms } = this.#home;
    const { times = 1, held = [] } = earlier ?? {};
    const pending: Pending = { request, gone: new AbortController(), times, held };
    earlier?.gone.abort();
    const { rechecks } = rooms;
    const { password } = request;
    const answer = admission.mayJoin(this.#session, { space, password }, pending.gone.signal);
    if (!(answer instanceof Promise)) {
      this.#pending.delete(space);
      this.#join(request, space, answer, times);
      this.#release(pending);
      return;
    }
    this.#pending.set(space, pending);
    void answer.then((known) => {
      // It was unsubscribed, or the client has gone, in the meantime.
      if (this.#pending.get(space) !== pending) return;
      this.#pending.delete(space);
      this.#join(request, space, known, pending.times);
      this.#release(pending);
      // Somebody wanted members to be looked at, and this answer may be from before.
      if (rechecks !== rooms.rechecks) this.recheck(space);
    });
  }

  #join(request: Subscribe, space: SpaceId, answer: SpaceAnswer, times: number): void {
    const { endpoint, rooms, observer, template } = this.#home;
    const [room] = expand(template, new Map([['space', space]]), 1);
    if (answer.kind !== 'member' || room === undefined) {
      const refusal = refusalOf(answer);
      for (let each = 0; each < times; each += 1) this.#refuse(request, refusal);
      return;
    }
    const present = this.#subscriptions.get(space);
    if (present) {
      present.password = request.password;
      for (let each = 0; each < times; each += 1) this.answer(subscribed(space, present.dtsid, present.sessionId));
      return;
    }
    const subscription: Subscription = {
      peer: this,
      space,
      room,
      dtsid: randomUUID(),
      sessionId: randomUUID(),
      password: request.password,
      presence: 'unknown',
    };
    this.#subscriptions.set(space, subscription);
    rooms.join(subscription);
    observer.observe({ kind: 'space-joined', endpoint, connection: this.connection });
    for (let each = 0; each < times; each += 1) {
      this.answer(subscribed(space, subscription.dtsid, subscription.sessionId));
    }
  }

  #leave(space: SpaceId, departure: Departure): void {
    const { endpoint, rooms, sending, settings, observer, isClosing } = this.#home;
    const subscription = this.#subscriptions.get(space);
    this.#subscriptions.delete(space);
    this.#forget(space);
    if (!subscription) return;
    rooms.leave(subscription);
    observer.observe({ kind: 'space-left', endpoint, connection: this.connection, cause: departure });
    if (isClosing()) return;
    const others = rooms.membersOf(subscription.room).some(({ peer }) => peer.sender._id === this.sender._id);
    if (isLeavingTold(subscription.presence, departure, settings.presence.leaving, others)) {
      sending.announce(subscription, leavingRequest);
    }
  }

  #forget(space: SpaceId): void {
    const pending = this.#pending.get(space);
    if (!pending) return;
    pending.gone.abort();
    this.#pending.delete(space);
    const refusal: Refusal = { code: 'notSubscribed', message: 'it was unsubscribed before the answer was known' };
    for (let each = 0; each < pending.times; each += 1) this.#refuse(pending.request, refusal);
    this.#release(pending);
  }

  #refuse({ channel }: Subscribe, refusal: Refusal): void {
    const { endpoint, observer, settings } = this.#home;
    const { connection } = this;
    observer.observe({ kind: 'client-event', endpoint, connection, outcome: 'refused', code: refusal.code });
    this.answer(subscribeFailed(channel, refusal, settings));
  }
}

const refusalOf = (answer: SpaceAnswer): Refusal =>
  answer.kind === 'try-later'
    ? { code: 'tryLater', message: `ask again in ${answer.retryAfterMs} ms` }
    : { code: 'forbidden', message: 'you are no member of this space' };
