import 'reflect-metadata';
import { Container, ContainerModule, type ContainerModuleLoadOptions } from 'inversify';
import { compileCondition } from '../adapters/access/cel-condition.ts';
import { createDevelopmentIssuer } from '../adapters/identity/development-issuer.ts';
import { createIdentityVerifier } from '../adapters/identity/identity-verifier.ts';
import { combineObservers } from '../adapters/operations/combine-observers.ts';
import { createHttpListener } from '../adapters/operations/http-listener.ts';
import { createMetrics } from '../adapters/operations/metrics.ts';
import { SendBudget } from '../adapters/outbound/send-budget.ts';
import { systemClock } from '../adapters/system-clock.ts';
import type { BindableSource } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';
import { createRelayEvent } from '../application/relay-event.ts';
import { createTopicBindings } from '../application/topic-bindings.ts';
import type { Event } from '../domain/event.ts';
import { checked, createAdmissions } from './admissions.ts';
import { bindStreams } from './bind-streams.ts';
import { bindableStreams } from './config/bindable-streams.ts';
import { buildRouting } from './config/build-routing.ts';
import type { Config } from './config/edgeward-config.ts';
import { createEndpoint, createHalls, type Endpoint } from './create-endpoint.ts';
import { createNotifications } from './create-notifications.ts';
import { createSources, type Source } from './create-sources.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { hasBroker } from './has-broker.ts';
import { holdBack } from './hold-back.ts';
import { registerRoutes } from './register-routes.ts';
import { T } from './tokens.ts';

export type CompositionOptions = {
  readonly version: string;
  /** Is told everything, beside the metrics. */
  readonly observer: Observer;
};

/**
 * Puts a gateway together out of a checked config; nothing listens or connects yet. The container is asked once, here.
 * Rejects with a `Fault` for what the config names and is not there, such as a key file.
 */
export function composeGateway(config: Config, options: CompositionOptions): Promise<Gateway> {
  const container = new Container({ defaultScope: 'Singleton', jitless: true });
  container.load(operationsModule(config, options), identityModule(config), eventsModule(config));
  return container.getAsync(T.gateway);
}

const module = (load: (bind: ContainerModuleLoadOptions['bind']) => void): ContainerModule =>
  new ContainerModule(({ bind }) => load(bind));

/** What watches and listens. */
const operationsModule = ({ listen }: Config, { version, observer }: CompositionOptions): ContainerModule =>
  module((bind) => {
    bind(T.clock).toConstantValue(systemClock);
    // Those who watch the sources and endpoints are made before these, and read them here.
    bind(T.presence).toConstantValue({ publishers: new Map(), sources: [], endpoints: [] });
    bind(T.metrics).toResolvedValue(
      (presence) => createMetrics({ version, sources: () => presence.sources, endpoints: () => presence.endpoints }),
      [T.presence],
    );
    bind(T.observer).toResolvedValue((metrics) => combineObservers([metrics, observer]), [T.metrics]);
    bind(T.listener).toResolvedValue(
      (told) => createHttpListener({ settings: listen, section: 'listen', observer: told }),
      [T.observer],
    );
    bind(T.operationsListener).toResolvedValue(
      (told) => {
        const { operations, ...shared } = listen;
        if (!operations) return undefined;
        const settings = { ...shared, ...operations };
        return createHttpListener({ settings, section: 'listen.operations', observer: told });
      },
      [T.observer],
    );
  });

const isBindable = (source: Source): source is Source & BindableSource => 'bind' in source;

/** Who is who, and who may what. */
const identityModule = (config: Config): ContainerModule =>
  module((bind) => {
    bind(T.developmentIssuer).toResolvedValue(
      async (clock) => (config.development ? createDevelopmentIssuer(clock) : undefined),
      [T.clock],
    );
    bind(T.identity).toResolvedValue(
      (clock, observer, issuer) =>
        createIdentityVerifier(config.identity, { clock, observer, developmentKeys: issuer?.publicKeys }),
      [T.clock, T.observer, T.developmentIssuer],
    );
    bind(T.admissions).toResolvedValue(
      (verifier, bindings, clock, observer) => createAdmissions({ config, verifier, bindings, clock, observer }),
      [T.identity, T.bindings, T.clock, T.observer],
    );
  });

/** All but the one that fires notifications, which no client ever waits for. */
const isForClients =
  ({ notifications }: Config) =>
  ({ name }: Pick<Source, 'name'>): boolean =>
    name !== notifications?.source;

/** Where notifications are switched off, nobody is there for what their source brings. */
const startedSources = (config: Config): Config['sources'] =>
  config.notifications?.enabled === false ? config.sources.filter(isForClients(config)) : config.sources;

/** From sources to endpoints. */
const eventsModule = (config: Config): ContainerModule =>
  module((bind) => {
    bind(T.routing).toResolvedValue(() => checked(buildRouting(config.routes, config.isolation, compileCondition)));
    bind(T.budget).toResolvedValue(
      (presence, clock, observer) =>
        new SendBudget(
          config.limits.sendQueuesBytesMax,
          clock,
          holdBack(() => presence.sources.filter(isForClients(config)), observer),
        ),
      [T.presence, T.clock, T.observer],
    );
    bind(T.bindings).toResolvedValue(
      (presence) => createTopicBindings(() => presence.sources.filter(isBindable)),
      [T.presence],
    );
    bind(T.sources).toResolvedValue(
      (admissions, clock, observer, presence) => {
        presence.sources = createSources(startedSources(config), presence.publishers, { admissions, clock, observer });
        return presence.sources;
      },
      [T.admissions, T.clock, T.observer, T.presence],
    );
    bind(T.endpoints).toResolvedValue(
      async (admissions, budget, clock, observer, surface, presence, _sources) => {
        const isConnected = () => presence.sources.filter(isForClients(config)).every(hasBroker);
        const shared = { admissions, budget, clock, observer, surface, isConnected, publishers: presence.publishers };
        const dependencies = { ...shared, hallFor: createHalls({ clock, surface }) };
        const endpoints: Endpoint[] = [];
        for (const chosen of config.endpoints) endpoints.push(await createEndpoint(chosen, dependencies));
        presence.endpoints = endpoints;
        return endpoints;
      },
      // Those that publish find their way into a broker, so the sources are there before.
      [T.admissions, T.budget, T.clock, T.observer, T.listener, T.presence, T.sources],
    );
    bind(T.notifications).toResolvedValue(
      (admissions, clock, observer) =>
        config.notifications?.enabled
          ? createNotifications(config.notifications, { admissions, clock, observer })
          : undefined,
      [T.admissions, T.clock, T.observer],
    );
    bind(T.gateway).toResolvedValue(
      (
        listener,
        operations,
        identity,
        issuer,
        sources,
        endpoints,
        notifications,
        metrics,
        routing,
        bound,
        clock,
        observer,
      ) => {
        const stopping = new AbortController();
        const parts = { listener, operations, identity, sources, endpoints, notifications, stopping };
        registerRoutes(config, { ...parts, issuer, metrics });
        const { attemptsMax, backOffMsMin: delayMsMin, backOffMsMax: delayMsMax } = config.delivery;
        const policy = { unroutable: config.unroutable, attemptsMax, backOff: { delayMsMin, delayMsMax } };
        const bindings = { match: (event: Event) => bound.match(event), isBindable: bindableStreams(config.endpoints) };
        const shared = { routing, bindings, channels: endpoints, policy, clock, observer, random: Math.random };
        return createGateway({
          ...parts,
          bindStreams: () =>
            bindStreams(config.endpoints, {
              bindings: bound,
              isConnected: () => sources.every(hasBroker),
              stopping: stopping.signal,
              observer,
            }),
          handlerFor: ({ name, traits: { leaseMs } }) =>
            notifications?.source === name
              ? notifications.handler
              : createRelayEvent({ ...shared, source: name, leaseMs, stopping: stopping.signal }),
        });
      },
      [
        T.listener,
        T.operationsListener,
        T.identity,
        T.developmentIssuer,
        T.sources,
        T.endpoints,
        T.notifications,
        T.metrics,
        T.routing,
        T.bindings,
        T.clock,
        T.observer,
      ],
    );
  });
