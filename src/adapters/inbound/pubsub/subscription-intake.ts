import type { Event } from '../../../domain/event.ts';
import { Fifo } from '../../fifo.ts';
import { GivenBackKeys } from './given-back-keys.ts';

/** A message that is leased to this process until it is acknowledged or given back. Only the first of these counts. */
export type Delivery = {
  readonly event: Event;
  readonly attempt: number;
  /** Milliseconds since the epoch. Its lease began then. */
  readonly receivedAt: number;
  acknowledge(): void;
  /** The broker offers it again, here or elsewhere. */
  giveBack(): void;
};

export type IntakeLimits = {
  /** How many may be with the handler at once. */
  readonly inFlightMax: number;
  /** And how many bytes; one message is always taken. */
  readonly inFlightBytesMax: number;
  /** One message of a key at a time. */
  readonly ordered: boolean;
  /** What has waited here for longer has too little left of its lease, and is given back (milliseconds). */
  readonly waitMsMax: number;
};

/** A message that is with the handler, and what the broker has brought of it once more in the meantime. */
type Taken = { readonly delivery: Delivery; readonly copies: Delivery[] };

/** What one subscription has brought: what waits for the handler, and what is with it. */
export class SubscriptionIntake {
  readonly #limits: IntakeLimits;
  readonly #ready = new Fifo<Delivery>();
  /** By key, what waits for the one before it to be settled. A key is here as long as one of its messages is ahead. */
  readonly #lanes = new Map<string, Fifo<Delivery>>();
  readonly #taken = new Map<string, Taken>();
  readonly #givenBack = new GivenBackKeys();
  #takenBytes = 0;
  #waiting = 0;

  constructor(limits: IntakeLimits) {
    this.#limits = limits;
  }

  /** How many have not been taken. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Nothing waits, and there is room for more. */
  get isHungry(): boolean {
    const { inFlightMax, inFlightBytesMax } = this.#limits;
    return this.#waiting === 0 && this.#taken.size < inFlightMax && this.#takenBytes < inFlightBytesMax;
  }

  add(delivery: Delivery): void {
    const { event, receivedAt } = delivery;
    const { id, key } = event;
    const taken = this.#taken.get(id);
    if (taken) {
      taken.copies.push(delivery);
      return;
    }
    if (!this.#givenBack.admits(key, id, receivedAt)) {
      delivery.giveBack();
      return;
    }
    this.#waiting += 1;
    const lane = this.#lanes.get(key);
    if (lane) {
      lane.push(delivery);
      return;
    }
    if (this.#isOrdered(key)) this.#lanes.set(key, new Fifo());
    this.#ready.push(delivery);
  }

  /** The next one for the handler, or nothing when none may be taken now. */
  take(now: number): Delivery | undefined {
    for (let next = this.#ready.first; next && this.#hasRoomFor(next); next = this.#ready.first) {
      this.#ready.shift();
      this.#waiting -= 1;
      if (now - next.receivedAt <= this.#limits.waitMsMax) {
        this.#taken.set(next.event.id, { delivery: next, copies: [] });
        this.#takenBytes += next.event.payload.length;
        return next;
      }
      this.#giveBackWithLane(next, now);
    }
    return undefined;
  }

  /** It is done with; the next one of its key may be taken. */
  accept(delivery: Delivery): void {
    for (const each of this.#release(delivery)) each.acknowledge();
    this.#advance(delivery);
  }

  /** It goes back to the broker, and so does what waits behind it: that would overtake it. */
  giveBack(delivery: Delivery, now: number): void {
    for (const copy of this.#release(delivery).slice(1)) copy.giveBack();
    this.#giveBackWithLane(delivery, now);
  }

  /** It goes back to the broker, and will not be taken again: nothing waits for it. */
  giveUp(delivery: Delivery): void {
    for (const each of this.#release(delivery)) each.giveBack();
    this.#advance(delivery);
  }

  giveBackWaiting(now: number): void {
    const held = new Set([...this.#taken.values()].map(({ delivery }) => delivery.event.key));
    for (let next = this.#ready.shift(); next; next = this.#ready.shift()) {
      this.#waiting -= 1;
      this.#giveBackWithLane(next, now);
    }
    for (const [key, lane] of this.#lanes) {
      if (held.has(key)) this.#expect(key, this.#empty(lane), now);
    }
  }

  giveBackTaken(): void {
    for (const { delivery, copies } of this.#taken.values()) {
      for (const each of [delivery, ...copies]) each.giveBack();
    }
  }

  /** @returns the message and its copies. */
  #release(delivery: Delivery): readonly Delivery[] {
    const { id, payload } = delivery.event;
    const copies = this.#taken.get(id)?.copies ?? [];
    if (this.#taken.delete(id)) this.#takenBytes -= payload.length;
    return [delivery, ...copies];
  }

  #advance({ event: { key } }: Delivery): void {
    const lane = this.#lanes.get(key);
    const next = lane?.shift();
    if (next) this.#ready.push(next);
    else this.#lanes.delete(key);
  }

  #giveBackWithLane(first: Delivery, now: number): void {
    const { id, key } = first.event;
    first.giveBack();
    const lane = this.#lanes.get(key);
    this.#lanes.delete(key);
    this.#expect(key, [id, ...(lane ? this.#empty(lane) : [])], now);
  }

  /** @returns the ids of what it has given back. */
  #empty(deliveries: Fifo<Delivery>): readonly string[] {
    const ids: string[] = [];
    for (let next = deliveries.shift(); next; next = deliveries.shift()) {
      this.#waiting -= 1;
      next.giveBack();
      ids.push(next.event.id);
    }
    return ids;
  }

  #expect(key: string, ids: readonly string[], now: number): void {
    if (this.#isOrdered(key) && ids.length > 0) this.#givenBack.expect(key, ids, now);
  }

  #isOrdered(key: string): boolean {
    return this.#limits.ordered && key !== '';
  }

  #hasRoomFor({ event }: Delivery): boolean {
    const { inFlightMax, inFlightBytesMax } = this.#limits;
    if (this.#taken.size === 0) return true;
    return this.#taken.size < inFlightMax && this.#takenBytes + event.payload.length <= inFlightBytesMax;
  }
}
