import type { Presented, RoomAdmission, Session } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { DenialCode } from '../../../domain/denial.ts';
import type { RoomName } from '../../../domain/room.ts';
import { RateLimit } from '../rate-limit.ts';
import type { RoomIndex } from '../room-index.ts';
import { callErrors, deniedCall } from './call-error.ts';
import { fieldsKey, presentedInCall } from './call-fields.ts';
import type { SignalrSettings } from './signalr-settings.ts';

/** What the subscriptions of an endpoint's clients share. */
export type SubscriptionHome<Owner> = {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly joining: RoomAdmission;
  readonly rooms: RoomIndex<Owner>;
  /** Names of the fields of the query. */
  readonly fields: readonly string[];
  readonly settings: Pick<
    SignalrSettings,
    'roomsPerConnectionMax' | 'subscriptionsPerConnectionMax' | 'subscriptionsPerSecondMax'
  >;
};

/** What a client connected with, or subscribed to since. */
type Subscription = {
  rooms: readonly RoomName[];
  readonly pending: AbortController;
  /** What its callers are answered: an error, or nothing. */
  outcome: Promise<string | undefined>;
};

/** The first subscription of a connection: what it connected with. */
export type FirstSubscription = {
  readonly session: Session;
  readonly rooms: readonly RoomName[];
  /** See `fieldsKey`. */
  readonly key: string;
};

/** The rooms of one client: those it connected with, which it has joined, and those of what it subscribed to since. */
export class HubSubscriptions<Owner> {
  readonly #owner: Owner;
  readonly #session: Session;
  readonly #home: SubscriptionHome<Owner>;
  readonly #held = new Map<string, Subscription>();
  readonly #rate: RateLimit;

  constructor(owner: Owner, { session, rooms, key }: FirstSubscription, home: SubscriptionHome<Owner>) {
    this.#owner = owner;
    this.#session = session;
    this.#home = home;
    this.#rate = new RateLimit(home.settings.subscriptionsPerSecondMax, home.clock);
    const first = { rooms, pending: new AbortController(), outcome: Promise.resolve(undefined) };
    this.#held.set(key, first);
  }

  /** @returns the error that the call is answered with, or nothing. */
  async subscribe(method: string, args: readonly unknown[]): Promise<string | undefined> {
    const { fields, settings } = this.#home;
    if (!this.#rate.take()) return this.#refuse(method, 'subscriptions_too_fast');
    const presented = presentedInCall(args, fields);
    if (!presented) return callErrors.args(method);
    const key = fieldsKey(presented, fields);
    const held = this.#held.get(key);
    if (held) return held.outcome;
    if (this.#held.size >= settings.subscriptionsPerConnectionMax) {
      return this.#refuse(method, 'subscriptions_too_many');
    }
    const pending = new AbortController();
    const subscription: Subscription = { rooms: [], pending, outcome: Promise.resolve(undefined) };
    this.#held.set(key, subscription);
    subscription.outcome = this.#join(method, presented, key, subscription);
    return subscription.outcome;
  }

  /** @returns the error that the call is answered with, or nothing. */
  unsubscribe(method: string, args: readonly unknown[]): string | undefined {
    const { fields } = this.#home;
    if (!this.#rate.take()) return this.#refuse(method, 'subscriptions_too_fast');
    const presented = presentedInCall(args, fields);
    if (!presented) return callErrors.args(method);
    const key = fieldsKey(presented, fields);
    const held = this.#held.get(key);
    if (!held) return callErrors.coded(method, 'not_subscribed');
    this.#held.delete(key);
    held.pending.abort();
    this.#home.rooms.leave(this.#owner, this.#onlyOf(held));
    return undefined;
  }

  /** The client has gone. */
  end(): void {
    for (const { rooms, pending } of this.#held.values()) {
      pending.abort();
      this.#home.rooms.leave(this.#owner, rooms);
    }
    this.#held.clear();
  }

  async #join(
    method: string,
    presented: Presented,
    key: string,
    subscription: Subscription,
  ): Promise<string | undefined> {
    const answer = await this.#home.joining.join(this.#session, presented, subscription.pending.signal);
    // Unsubscribed, or gone, in the meantime.
    if (this.#held.get(key) !== subscription) return callErrors.coded(method, 'not_subscribed');
    if (answer.kind === 'joined' && this.#hasRoomFor(answer.rooms)) {
      subscription.rooms = answer.rooms;
      this.#home.rooms.join(this.#owner, answer.rooms);
      return undefined;
    }
    this.#held.delete(key);
    if (answer.kind === 'joined') return this.#refuse(method, 'rooms_too_many');
    return answer.kind === 'denied' ? deniedCall(method, answer.denial.code) : callErrors.coded(method, 'try_later');
  }

  #hasRoomFor(rooms: readonly RoomName[]): boolean {
    const all = new Set([...rooms, ...[...this.#held.values()].flatMap((held) => held.rooms)]);
    return all.size <= this.#home.settings.roomsPerConnectionMax;
  }

  /** The rooms that no other subscription has. */
  #onlyOf({ rooms }: Subscription): readonly RoomName[] {
    const others = new Set([...this.#held.values()].flatMap((held) => held.rooms));
    return rooms.filter((room) => !others.has(room));
  }

  /** Refused before anybody was asked. */
  #refuse(method: string, code: DenialCode): string {
    const { endpoint, observer } = this.#home;
    const reason = `${method.toLowerCase()} of a client, beyond a limit`;
    observer.observe({ kind: 'access-denied', endpoint, connection: this.#session.connection, code, reason });
    return callErrors.coded(method, code);
  }
}
