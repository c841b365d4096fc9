import type { Event } from '../domain/event.ts';
import type { NotificationTrigger } from '../domain/notification.ts';
import { type NotificationRule, occurrencesOf } from '../domain/notification-rule.ts';
import { Fault } from './fault.ts';
import type { Clock } from './ports/clock.ts';
import type { MessageHandler, Settlement } from './ports/event-source.ts';
import type { NotificationStore } from './ports/notification-store.ts';
import type { Observer } from './ports/observer.ts';

export type MatchDependencies = {
  readonly source: string;
  readonly rules: readonly NotificationRule[];
  /** Names of those that can be told by. */
  readonly handlers: readonly string[];
  /** Of them those that have no use for the payload. */
  readonly withoutPayload: readonly string[];
  /** Larger payloads are not kept with what they fire. */
  readonly payloadBytesMax: number;
  readonly store: Pick<NotificationStore, 'match'>;
  readonly clock: Clock;
  readonly observer: Observer;
  /** There is something to be sent. */
  readonly onMatched: () => void;
};

/**
 * The handler of a source whose events fire notifications: a message is accepted once the store has what it fires. What
 * fires nothing is accepted as well.
 */
export function createMatchNotifications(dependencies: MatchDependencies): MessageHandler {
  const { source, observer } = dependencies;
  return async ({ event, attempt }) => {
    const { id: eventId, stream } = event;
    observer.observe({ kind: 'event-taken', source, stream, eventId });
    const settlement = await settle(event, dependencies);
    const cause = settlement.kind === 'accept' ? {} : { cause: settlement.cause };
    observer.observe({ kind: 'message-settled', source, eventId, settlement: settlement.kind, attempt, ...cause });
    return settlement;
  };
}

async function settle(event: Event, dependencies: MatchDependencies): Promise<Settlement> {
  const { source, rules, handlers, withoutPayload, payloadBytesMax, store, clock, observer, onMatched } = dependencies;
  const occurrences = occurrencesOf(rules, event);
  if (occurrences.length === 0) return { kind: 'accept' };
  try {
    const count = await store.match(
      occurrences,
      handlers,
      triggerOf(event, payloadBytesMax),
      clock.now(),
      withoutPayload,
    );
    if (count === 0) return { kind: 'accept' };
    observer.observe({ kind: 'notification-matched', source, eventId: event.id, count });
    onMatched();
    return { kind: 'accept' };
  } catch (error) {
    observer.observe({ kind: 'notification-store-failed', error });
    const isPermanent = error instanceof Fault && error.disposition === 'dead-letter';
    return { kind: isPermanent ? 'dead-letter' : 'retry', cause: 'what the event fires could not be stored' };
  }
}

function triggerOf(event: Event, payloadBytesMax: number): NotificationTrigger {
  const { id: eventId, stream, key, publishedAt, payload } = event;
  const text = payload.byteLength <= payloadBytesMax ? event.jsonText() : null;
  return { eventId, stream, key, publishedAt, ...(text === null ? {} : { payload: text }) };
}
