import type { Registry } from 'prom-client';
import type { Observation } from '../../application/ports/observer.ts';
import { counterIn } from './metric-counters.ts';

export type SpaceCounters = ReturnType<typeof createSpaceCounters>;

/** What has happened in spaces since the process began. */
export function createSpaceCounters(registry: Registry) {
  const counter = counterIn(registry);
  return {
    oldClients: counter('old_clients', 'Connections of Engine.IO 3 clients.', 'endpoint'),
    clientEvents: counter(
      'client_events',
      'Events that clients sent, by outcome and code.',
      'endpoint',
      'outcome',
      'code',
    ),
    publishFailures: counter('publish_failures', 'Events of clients that the broker did not confirm.', 'endpoint'),
    historyFailures: counter('history_failures', 'Failures of the store of what was said in rooms.', 'endpoint'),
    spacesJoined: counter('spaces_joined', 'Subscriptions to spaces that were granted.', 'endpoint'),
    spacesLeft: counter('spaces_left', 'Subscriptions to spaces that ended, by cause.', 'endpoint', 'cause'),
  };
}

const kinds = ['old-client', 'client-event', 'publish-failed', 'history-failed', 'space-joined', 'space-left'] as const;
export type SpaceObservation = Extract<Observation, { kind: (typeof kinds)[number] }>;

const known: ReadonlySet<string> = new Set(kinds);
export const isSpaceObservation = (observation: Observation): observation is SpaceObservation =>
  known.has(observation.kind);

export function countSpace(counters: SpaceCounters, observation: SpaceObservation) {
  switch (observation.kind) {
    case 'old-client':
      return counters.oldClients.inc({ endpoint: observation.endpoint });
    case 'client-event': {
      const { endpoint, outcome, code = '' } = observation;
      return counters.clientEvents.inc({ endpoint, outcome, code });
    }
    case 'publish-failed':
      return counters.publishFailures.inc({ endpoint: observation.endpoint });
    case 'history-failed':
      return counters.historyFailures.inc({ endpoint: observation.endpoint });
    case 'space-joined':
      return counters.spacesJoined.inc({ endpoint: observation.endpoint });
    case 'space-left':
      return counters.spacesLeft.inc({ endpoint: observation.endpoint, cause: observation.cause });
  }
}
