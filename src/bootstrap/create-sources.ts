import type { FastifyPluginAsync } from 'fastify';
import { createAmqpSource } from '../adapters/inbound/amqp/amqp-source.ts';
import { createHttpSource } from '../adapters/inbound/http/http-source.ts';
import { createMemorySource } from '../adapters/inbound/memory/memory-source.ts';
import { createPubSubPushSource } from '../adapters/inbound/pubsub/pubsub-push-source.ts';
import { createPubSubSource } from '../adapters/inbound/pubsub/pubsub-source.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { EventPublisher } from '../application/ports/event-publisher.ts';
import type { EventSource } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';
import type { Admissions } from './admissions.ts';
import type { Config } from './config/edgeward-config.ts';

/** A source, the way into its broker where it has one, and its routes on the HTTP surface where it has some. */
export type Source = EventSource & { readonly routes?: FastifyPluginAsync };

export type SourceDependencies = {
  readonly admissions: Admissions;
  readonly clock: Clock;
  readonly observer: Observer;
};

type Chosen = Config['sources'][number];

/**
 * The sources that the config has chosen, in the order in which they start. Those that publish into another come after
 * it: they start when it can take what they publish, and are drained before it.
 *
 * @param publishers gets the ways into the brokers that have one, by the names of their sources.
 */
export function createSources(
  chosen: Config['sources'],
  publishers: Map<string, EventPublisher>,
  dependencies: SourceDependencies,
): readonly Source[] {
  const [feeding, others] = [chosen.filter(publishesToAnother), chosen.filter((each) => !publishesToAnother(each))];
  return [...others, ...feeding].map((each) => createSource(each, publishers, dependencies));
}

const publishesToAnother = ({ kind, settings }: Chosen): boolean => kind === 'http' && settings.publishTo !== undefined;

function createSource(
  { kind, name, settings }: Chosen,
  publishers: Map<string, EventPublisher>,
  { admissions, clock, observer }: SourceDependencies,
): Source {
  switch (kind) {
    case 'memory': {
      const source = createMemorySource(name, settings, { clock, observer });
      publishers.set(name, source);
      return source;
    }
    case 'amqp': {
      const source = createAmqpSource(name, settings, { clock, observer });
      publishers.set(name, source);
      return source;
    }
    case 'pubsub': {
      const source = createPubSubSource(name, settings, { clock, observer });
      publishers.set(name, source);
      return source;
    }
    case 'pubsubPush':
      return createPubSubPushSource(name, settings, {
        clock,
        observer,
        admission: admissions.forPublishing(name, settings),
      });
    case 'http': {
      const publisher = settings.publishTo === undefined ? undefined : publishers.get(settings.publishTo);
      return createHttpSource(name, settings, {
        clock,
        observer,
        admission: admissions.forPublishing(name, settings),
        ...(publisher ? { publisher } : {}),
      });
    }
  }
}
