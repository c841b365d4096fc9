import type { Event } from '../../domain/event.ts';

/** The way out to a broker. */
export interface EventPublisher {
  /** Resolves once the broker has taken the event; rejects with a `Fault` when it has not. */
  publish(event: Event): Promise<void>;
}
