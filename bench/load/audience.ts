import { groupSize } from './client-spec.ts';
import type { Crowd } from './crowd.ts';
import type { Outgoing, Target } from './publisher.ts';
import { stampedPayload } from './sent-at.ts';

export type AudienceSpec = {
  /** `each`: one client after another; `groups`: one group of ten after another. */
  readonly to: 'all' | 'each' | 'groups';
  /** Bytes of the payloads, in turn. */
  readonly payloadBytes: readonly number[];
};

/** Whose turn it is, and what everybody is owed. */
export class Audience {
  readonly #crowd: Crowd;
  readonly #spec: AudienceSpec;
  readonly #share: number;
  #events = 0;

  constructor(crowd: Crowd, spec: AudienceSpec) {
    this.#crowd = crowd;
    this.#spec = spec;
    this.#share = spec.to === 'all' ? crowd.size : spec.to === 'each' ? 1 : groupSize;
  }

  get events(): number {
    return this.#events;
  }

  get deliveries(): number {
    return this.#events * this.#share;
  }

  /** What must have come so that only so many events are on their way. */
  deliveriesBefore(onTheirWay: number): number {
    return Math.max(0, this.#events - onTheirWay) * this.#share;
  }

  nextEvents(count: number): readonly Outgoing[] {
    return Array.from({ length: count }, () => this.#nextEvent());
  }

  #nextEvent(): Outgoing {
    const { payloadBytes } = this.#spec;
    const payload = stampedPayload(payloadBytes[this.#events % payloadBytes.length] ?? 0);
    const target = this.#target();
    this.#events += 1;
    return { target, payload };
  }

  #target(): Target {
    const places = Math.floor(this.#crowd.size / this.#share);
    // A prime, so that neighbours are not served one after another.
    const id = (this.#events * 7919) % places;
    this.#crowd.owe(id * this.#share, (id + 1) * this.#share);
    if (this.#spec.to === 'all') return { kind: 'all' };
    return { kind: this.#spec.to === 'each' ? 'client' : 'group', id };
  }
}
