import type { FastifyPluginAsync } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Observation, Observer } from '../../application/ports/observer.ts';
import { boundedLabel, type Counters, createCounters } from './metric-counters.ts';
import { type MetricsParts, registerGauges } from './metric-gauges.ts';
import {
  countNotification,
  createNotificationCounters,
  isNotificationObservation,
  type NotificationObservation,
} from './notification-counters.ts';
import { countSpace, createSpaceCounters, isSpaceObservation, type SpaceObservation } from './space-counters.ts';

export type Metrics = Observer & {
  /** In the Prometheus text format. */
  render(): Promise<string>;
  readonly contentType: string;
};

/**
 * What is observed, as numbers, in a registry of their own. Labels are names from the config and closed lists only:
 * no stream, tenant, room or client is ever one, so the number of series does not grow with the traffic.
 */
export function createMetrics(parts: MetricsParts): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = registerGauges(registry, parts);
  const counters = createCounters(registry);
  const notifications = createNotificationCounters(registry);
  const spaces = createSpaceCounters(registry);
  const closeCause = boundedLabel();
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    observe(observation) {
      if (observation.kind === 'connection-closed') {
        const { endpoint, cause } = observation;
        counters.connectionsClosed.inc({ endpoint, cause: closeCause(cause) });
      } else if (observation.kind === 'pressure') {
        gauges.queuedBytes.set(observation.queuedBytes);
        gauges.paused.set(observation.paused ? 1 : 0);
      } else if (observation.kind === 'notification-backlog') {
        gauges.notificationBacklog.set({ handler: observation.handler }, observation.count);
      } else if (isNotificationObservation(observation)) {
        countNotification(notifications, observation);
      } else if (isSpaceObservation(observation)) {
        countSpace(spaces, observation);
      } else {
        count(counters, observation);
      }
    },
  };
}

type Counted = Exclude<
  Observation,
  NotificationObservation | SpaceObservation | { kind: 'connection-closed' | 'pressure' | 'notification-backlog' }
>;

function count(counters: Counters, observation: Counted) {
  switch (observation.kind) {
    case 'event-taken':
      return counters.eventsTaken.add(1, observation.source);
    case 'event-ignored':
      return counters.eventsIgnored.add(1, observation.source);
    case 'event-routed':
      return counters.eventsRouted.add(1, observation.source);
    case 'event-unroutable':
      return counters.eventsUnroutable.add(1, observation.source, observation.cause);
    case 'event-delivered':
      counters.deliveriesQueued.add(observation.queued, observation.endpoint);
      return counters.deliveriesDropped.add(observation.dropped, observation.endpoint);
    case 'endpoint-failed':
      return counters.endpointFailures.inc({ endpoint: observation.endpoint });
    case 'message-settled':
      return counters.messagesSettled.add(1, observation.source, observation.settlement);
    case 'source-state':
      // Read from the source itself when the metrics are asked for.
      return;
    case 'source-fault':
      return counters.sourceFaults.inc({ source: observation.source });
    case 'connection-admitted':
      return counters.connectionsAdmitted.inc({ endpoint: observation.endpoint });
    case 'connection-cut':
      return counters.connectionsCut.inc({ endpoint: observation.endpoint });
    case 'topic-bound':
      return counters.topicsBound.inc({ endpoint: observation.endpoint });
    case 'rooms-ignored':
      return counters.roomsIgnored.inc({ endpoint: observation.endpoint });
    case 'access-denied':
      return counters.accessDenied.inc({ endpoint: observation.endpoint, code: observation.code });
    case 'access-unknown':
      return counters.accessUnknown.inc({ endpoint: observation.endpoint });
    case 'issuer-keys':
      return counters.issuerKeys.inc({ issuer: observation.issuer, outcome: observation.outcome });
    case 'token-verified':
      return counters.tokensVerified.inc({ issuer: observation.issuer, outcome: observation.outcome });
    case 'check-answered':
      return counters.checks.inc({ check: observation.check, outcome: observation.outcome });
    case 'request-failed':
      return counters.requestFailures.inc({ route: observation.route });
    case 'listener-full':
      return counters.listenerFull.inc();
    case 'listener-fault':
      return counters.listenerFaults.inc();
  }
}

/** `GET /metrics`. */
export const metricsRoutes =
  (metrics: Pick<Metrics, 'render' | 'contentType'>): FastifyPluginAsync =>
  async (app) => {
    app.get('/metrics', async (_request, reply) =>
      reply
        .header('cache-control', 'no-store')
        .type(metrics.contentType)
        .send(await metrics.render()),
    );
  };
