import { Counter, type Registry } from 'prom-client';
import { createTalliedCounter, type TalliedCounterSettings } from './tallied-counter.ts';

export type Counters = ReturnType<typeof createCounters>;

/** A way to make counters of a registry. */
export const counterIn =
  (registry: Registry) =>
  <Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `edgeward_${name}_total`, help, labelNames, registers: [registry] });

const talliedIn =
  (registry: Registry) =>
  (name: string, help: string, ...labelNames: TalliedCounterSettings['labelNames']) =>
    createTalliedCounter(registry, { name: `edgeward_${name}_total`, help, labelNames });

/** What has happened since the process began. */
export function createCounters(registry: Registry) {
  const counter = counterIn(registry);
  const tallied = talliedIn(registry);
  return {
    eventsTaken: tallied('events_taken', 'Events that a source handed over; a redelivered one counts again.', 'source'),
    eventsRouted: tallied('events_routed', 'Events that a rule led somewhere and an endpoint took.', 'source'),
    eventsIgnored: tallied('events_ignored', 'Events that no subscription of an embedded broker wants.', 'source'),
    eventsUnroutable: tallied('events_unroutable', 'Events that reach nobody, by cause.', 'source', 'cause'),
    deliveriesQueued: tallied('deliveries_queued', 'Frames queued, one for each connection and event.', 'endpoint'),
    deliveriesDropped: tallied(
      'deliveries_dropped',
      'Frames not queued because the connection was closing or over its limit.',
      'endpoint',
    ),
    endpointFailures: counter(
      'endpoint_failures',
      'Deliveries that an endpoint failed at, as a whole or for those who speak one protocol.',
      'endpoint',
    ),
    messagesSettled: tallied('messages_settled', 'Messages given back to their broker.', 'source', 'settlement'),
    sourceFaults: counter('source_faults', 'Faults that a source met and goes on from.', 'source'),
    connectionsAdmitted: counter('connections_admitted', 'Clients let in.', 'endpoint'),
    connectionsClosed: counter('connections_closed', 'Connections that ended, by cause.', 'endpoint', 'cause'),
    connectionsCut: counter('connections_cut', 'Connections cut because the client read too slowly.', 'endpoint'),
    topicsBound: counter('topics_bound', 'Binds of clients that were granted.', 'endpoint'),
    roomsIgnored: counter('rooms_ignored', 'Room templates that a connection was let in without.', 'endpoint'),
    accessDenied: counter('access_denied', 'Refused connections and publishers, by code.', 'endpoint', 'code'),
    accessUnknown: counter('access_unknown', 'Clients told to come back, since nobody could tell.', 'endpoint'),
    issuerKeys: counter('issuer_keys', 'Attempts to have the keys of an issuer, by outcome.', 'issuer', 'outcome'),
    tokensVerified: counter(
      'tokens_verified',
      'Verifications of signed tokens, by kind of token: `checked`, whatever came of it, or `remembered` as good.',
      'issuer',
      'outcome',
    ),
    checks: counter('checks', 'Answers of access checks, by outcome.', 'check', 'outcome'),
    requestFailures: counter('request_failures', 'HTTP requests answered with 500, by route.', 'route'),
    listenerFull: counter('listener_full', 'Connections closed at once because as many as may be were open.'),
    listenerFaults: counter('listener_faults', 'Faults of the listener, such as a lack of file descriptors.'),
  };
}

/** Enough for the causes that an endpoint's library has words for. */
const labelValuesMax = 20;

/** Keeps a label whose values are somebody else's words from growing: further ones become `other`. */
export function boundedLabel(): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= labelValuesMax) return 'other';
    seen.add(value);
    return value;
  };
}
