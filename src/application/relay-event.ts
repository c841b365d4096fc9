import type { Event } from '../domain/event.ts';
import type { EventRouting, RoutingDecision } from '../domain/ports/event-routing.ts';
import { type BackOff, backOffDelayMs } from './back-off.ts';
import { Fault } from './fault.ts';
import type { Clock } from './ports/clock.ts';
import type { DeliveryChannel, DeliveryTarget } from './ports/delivery-channel.ts';
import type { BrokerMessage, MessageHandler, Settlement } from './ports/event-source.ts';
import type { Observer } from './ports/observer.ts';
import type { TopicBindings } from './topic-bindings.ts';

export type RelayPolicy = {
  /** What becomes of an event that no rule leads anywhere. */
  readonly unroutable: 'accept' | 'dead-letter';
  /** How often delivery is tried in all before the event is dead-lettered. */
  readonly attemptsMax: number;
  readonly backOff: BackOff;
};

/** What clients have bound, and what they may. */
export type RelayBindings = Pick<TopicBindings, 'match'> & {
  /** Whether clients of some endpoint may bind the stream: then it is no mistake when no rule is for its events. */
  isBindable(stream: string): boolean;
};

export type RelayDependencies = {
  readonly source: string;
  /** How long the source's broker lets a message stay unsettled. */
  readonly leaseMs: number;
  readonly routing: EventRouting;
  readonly bindings: RelayBindings;
  readonly channels: readonly DeliveryChannel[];
  readonly policy: RelayPolicy;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly random: () => number;
  /** Aborts when the process is to stop: what waits for another try is given back at once. */
  readonly stopping: AbortSignal;
};

/** Of the lease, so that the settlement still reaches the broker within it. */
const leaseShareMax = 0.8;

const accepted: Settlement = { kind: 'accept' };

/**
 * The handler of one source: decide, deliver, settle. Every channel is tried; one that throws keeps no other from
 * delivering. Accepts once all were tried, also when nobody was there to receive; tries again only when all failed.
 * Waits, and so answers later, only for another try.
 */
export function createRelayEvent(dependencies: RelayDependencies): MessageHandler {
  const { source, routing, bindings, observer } = dependencies;
  const settled = ({ event, attempt }: BrokerMessage, settlement: Settlement): Settlement => {
    const about = { kind: 'message-settled', source, eventId: event.id, settlement: settlement.kind, attempt } as const;
    observer.observe(settlement.kind === 'accept' ? about : { ...about, cause: settlement.cause });
    return settlement;
  };
  return (message) => {
    const { event } = message;
    observer.observe({ kind: 'event-taken', source, stream: event.stream, eventId: event.id });
    const addressed = address(event, routing.decide(event), bindings);
    if (addressed.kind === 'unroutable') return settled(message, settleUnroutable(event, addressed, dependencies));
    // Before the first try, which may take its time, too.
    const begin = dependencies.clock.now();
    const outcome = deliver(event, addressed, dependencies);
    if (outcome === 'delivered') return settled(message, accepted);
    return tryAgain(event, addressed, { outcome, begin }, dependencies).then((each) => settled(message, each));
  };
}

type Addressed = DeliveryTarget & { readonly kind: 'addressed'; readonly rules: RoutingDecision['rules'] };
type Unroutable = Extract<RoutingDecision, { kind: 'unroutable' }>;

/**
 * Where an event goes. What clients have bound stands in for rules
 * that are missing; an event that the rules withhold from everybody reaches no bind either.
 */
function address(event: Event, decision: RoutingDecision, bindings: RelayBindings): Addressed | Unroutable {
  const { rules } = decision;
  if (decision.kind === 'unroutable') {
    const withheld = decision.cause !== 'no_rule' && decision.cause !== 'no_template';
    if (withheld || !bindings.isBindable(event.stream)) return decision;
  }
  const rooms = decision.kind === 'routed' ? decision.rooms : [];
  return { kind: 'addressed', rooms, patterns: bindings.match(event), rules };
}

type Outcome = 'delivered' | 'failed' | 'undeliverable';
type FirstTry = { readonly outcome: Exclude<Outcome, 'delivered'>; readonly begin: number };

async function tryAgain(
  event: Event,
  addressed: Addressed,
  first: FirstTry,
  dependencies: RelayDependencies,
): Promise<Settlement> {
  const { leaseMs, policy, clock, stopping, random } = dependencies;
  let outcome: Outcome = first.outcome;
  for (let tries = 1; ; tries += 1) {
    if (outcome === 'delivered') return accepted;
    if (outcome === 'undeliverable') return { kind: 'dead-letter', cause: 'no endpoint can ever deliver the event' };
    if (tries >= policy.attemptsMax) {
      return { kind: 'dead-letter', cause: `no endpoint took the event in ${tries} attempts` };
    }
    const delayMs = backOffDelayMs(policy.backOff, tries, random());
    if (clock.now() - first.begin + delayMs > leaseMs * leaseShareMax) {
      return { kind: 'retry', cause: 'no endpoint took the event within the lease' };
    }
    await clock.wait(delayMs, stopping);
    if (stopping.aborted) return { kind: 'retry', cause: 'the process stops' };
    outcome = deliver(event, addressed, dependencies);
  }
}

/** `failed`: every channel threw. `undeliverable`: and each of them said that it always will for this event. */
function deliver(
  event: Event,
  { rooms, patterns, rules }: Addressed,
  { source, channels, observer }: RelayDependencies,
): Outcome {
  const errors: unknown[] = [];
  let queued = 0;
  let dropped = 0;
  const target = { rooms, patterns };
  for (const channel of channels) {
    try {
      const count = channel.deliver(event, target);
      queued += count.queued;
      dropped += count.dropped;
      observer.observe({
        kind: 'event-delivered',
        endpoint: channel.name,
        eventId: event.id,
        queued: count.queued,
        dropped: count.dropped,
      });
    } catch (error) {
      errors.push(error);
      observer.observe({ kind: 'endpoint-failed', endpoint: channel.name, eventId: event.id, error });
    }
  }
  if (errors.length > 0 && errors.length === channels.length) {
    return errors.every(isPermanent) ? 'undeliverable' : 'failed';
  }
  observer.observe({
    kind: 'event-routed',
    source,
    stream: event.stream,
    eventId: event.id,
    rooms: rooms.length,
    patterns: patterns.length,
    queued,
    dropped,
    rules,
  });
  return 'delivered';
}

const isPermanent = (error: unknown): boolean => error instanceof Fault && error.disposition === 'dead-letter';

function settleUnroutable(
  event: Event,
  decision: Unroutable,
  { source, policy, observer }: RelayDependencies,
): Settlement {
  const { cause, reason, rules } = decision;
  observer.observe({ kind: 'event-unroutable', source, stream: event.stream, eventId: event.id, cause, reason, rules });
  return policy.unroutable === 'accept' ? accepted : { kind: 'dead-letter', cause: `unroutable (${cause}): ${reason}` };
}
