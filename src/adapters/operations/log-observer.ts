import { Fault } from '../../application/fault.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { Observation, Observer } from '../../application/ports/observer.ts';
import { describeError, safeText } from './describe-error.ts';
import { createLineBudget } from './line-budget.ts';
import type { Logger } from './logger.ts';

type Line = { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string };

/** Of each kind of observation. Debug lines are for a look at single events, and have no such limit. */
const linesPerSecondMax = 10;
const itemsMax = 50;

/**
 * One line for each observation. What happens for every event is `debug`, so that `info` stays quiet under load;
 * `eventId` and `connection` tie lines together.
 */
export function createLogObserver(logger: Logger, clock: Clock): Observer {
  const budget = createLineBudget<Observation['kind']>(clock, linesPerSecondMax);
  return {
    observe(observation) {
      if (isAboutEveryEvent(observation) && !logger.isLevelEnabled('debug')) return;
      const { level, text } = lineOf(observation);
      if (!logger.isLevelEnabled(level)) return;
      if (level === 'debug') return logger.debug(fieldsOf(observation, level), text);
      const { granted, suppressed } = budget.take(observation.kind);
      if (!granted) return;
      logger[level]({ ...fieldsOf(observation, level), ...(suppressed > 0 ? { suppressed } : {}) }, text);
    },
  };
}

/** What comes for every event and is no warning. */
const isAboutEveryEvent = (observation: Observation): boolean =>
  observation.kind === 'event-taken' ||
  observation.kind === 'event-delivered' ||
  observation.kind === 'event-routed' ||
  (observation.kind === 'message-settled' && observation.settlement === 'accept');

/** How each kind is told, where what was observed says nothing else. */
const lines: Readonly<Record<Observation['kind'], Line>> = {
  'event-taken': { level: 'debug', text: 'event taken' },
  'event-ignored': { level: 'debug', text: 'event ignored: no subscription wants it' },
  'event-routed': { level: 'debug', text: 'event routed' },
  'event-unroutable': { level: 'debug', text: 'event reaches nobody' },
  'event-delivered': { level: 'debug', text: 'event handed to an endpoint' },
  'endpoint-failed': { level: 'error', text: 'endpoint failed to deliver' },
  'message-settled': { level: 'debug', text: 'message settled' },
  'source-state': { level: 'info', text: 'source changed its state' },
  'source-fault': { level: 'error', text: 'source has a fault' },
  'connection-admitted': { level: 'info', text: 'connection admitted' },
  'connection-closed': { level: 'info', text: 'connection closed' },
  'connection-cut': { level: 'warn', text: 'connection cut: its client reads too slowly' },
  'topic-bound': { level: 'debug', text: 'topic bound' },
  'rooms-ignored': { level: 'info', text: 'rooms not joined' },
  'access-denied': { level: 'info', text: 'access denied' },
  'access-unknown': { level: 'warn', text: 'access cannot be decided now: the client is told to come back' },
  'issuer-keys': { level: 'info', text: 'keys of an issuer fetched' },
  'token-verified': { level: 'debug', text: 'token verified' },
  'check-answered': { level: 'debug', text: 'check answered' },
  'notification-requested': { level: 'debug', text: 'notification asked for' },
  'notification-matched': { level: 'debug', text: 'event fired notifications' },
  'notification-tried': { level: 'debug', text: 'notification sent' },
  'notifications-recovered': { level: 'warn', text: 'tries that a crash has interrupted are made again' },
  'notification-backlog': { level: 'debug', text: 'notifications to be sent' },
  'notification-store-failed': { level: 'error', text: 'store of notifications failed: it is tried again' },
  'old-client': { level: 'debug', text: 'client of Engine.IO 3 connected' },
  'client-event': { level: 'debug', text: 'event of a client' },
  'publish-failed': { level: 'error', text: 'event of a client did not reach the broker' },
  'history-failed': { level: 'error', text: 'history cannot be kept or read' },
  'space-joined': { level: 'debug', text: 'space joined' },
  'space-left': { level: 'debug', text: 'space left' },
  pressure: { level: 'info', text: 'pressure is gone: intake goes on' },
  'request-failed': { level: 'error', text: 'request failed' },
  'listener-full': { level: 'warn', text: 'connection turned away: as many as may be are open' },
  'listener-fault': { level: 'error', text: 'listener has a fault' },
};

function lineOf(observation: Observation): Line {
  if (observation.kind === 'source-state') {
    const { state } = observation;
    return { level: 'reason' in state ? 'warn' : 'info', text: `source is ${state.kind}` };
  }
  const warning = warningOf(observation);
  return warning === undefined ? lines[observation.kind] : { level: 'warn', text: warning };
}

/** What an operator should see, of kinds that are mostly of no concern. */
function warningOf(observation: Observation): string | undefined {
  const { kind } = observation;
  // A missing rule can be met by every event; what looks like one tenant reaching for another is rare and matters.
  if (kind === 'event-unroutable' && (observation.cause === 'isolation' || observation.cause === 'rooms_too_many')) {
    return lines[kind].text;
  }
  if (kind === 'message-settled' && observation.settlement !== 'accept') {
    return `message settled: ${observation.settlement}`;
  }
  if (kind === 'issuer-keys' && observation.outcome !== 'fetched') return `keys of an issuer: ${observation.outcome}`;
  if (kind === 'check-answered' && (observation.outcome === 'failed' || observation.outcome === 'open-circuit')) {
    return 'check gave no answer';
  }
  if (kind === 'notification-tried' && observation.outcome === 'retried')
    return 'notification not sent: it is tried again';
  if (kind === 'notification-tried' && observation.outcome === 'failed') return 'notification has failed for good';
  if (kind === 'pressure' && observation.paused) return 'too much is queued: intake pauses';
  return undefined;
}

/** Every text goes through redaction, whoever wrote it: ids and names come from clients and brokers too. */
function fieldsOf(observation: Observation, level: Line['level']): Record<string, unknown> {
  const fields = Object.entries(observation).map(([name, value]) => {
    if (name !== 'error') return [name, safeValue(value)];
    const unexpected = level === 'error' && !(value instanceof Fault);
    return [name, value === undefined ? undefined : describeError(value, unexpected)];
  });
  return Object.fromEntries(fields);
}

function safeValue(value: unknown): unknown {
  if (typeof value === 'string') return safeText(value);
  if (Array.isArray(value)) return value.slice(0, itemsMax).map(safeValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, safeValue(inner)]));
}
