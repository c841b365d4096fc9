import type { SendBudget } from '../adapters/outbound/send-budget.ts';
import { createSignalrEndpoint } from '../adapters/outbound/signalr/signalr-endpoint.ts';
import type { EngineSettings } from '../adapters/outbound/socketio/engine-settings.ts';
import { createSocketioEndpoint } from '../adapters/outbound/socketio/socketio-endpoint.ts';
import { type HallDependencies, SocketioHall } from '../adapters/outbound/socketio/socketio-hall.ts';
import { createSpacesEndpoint } from '../adapters/outbound/socketio/spaces-endpoint.ts';
import { createRelayEndpoint } from '../adapters/outbound/websocket/relay-endpoint.ts';
import { openHistory } from '../adapters/store/open-history.ts';
import type { ClientGateway } from '../application/ports/client-gateway.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { DeliveryChannel } from '../application/ports/delivery-channel.ts';
import type { EventPublisher } from '../application/ports/event-publisher.ts';
import type { HttpSurface } from '../application/ports/http-surface.ts';
import type { Observer } from '../application/ports/observer.ts';
import type { Admissions } from './admissions.ts';
import { roomTemplate } from './config/build-routing.ts';
import type { Config } from './config/edgeward-config.ts';

/** Driven when it delivers, driving when a client connects. */
export type Endpoint = DeliveryChannel & ClientGateway;

export type EndpointDependencies = {
  readonly admissions: Admissions;
  readonly budget: SendBudget;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly surface: HttpSurface;
  /** Whether every source has its broker. */
  readonly isConnected: () => boolean;
  /** Ways into brokers, by the names of the sources. */
  readonly publishers: ReadonlyMap<string, EventPublisher>;
  /** Endpoints of one path share a hall. */
  readonly hallFor: (settings: EngineSettings) => SocketioHall;
};

/** A hall for each path. The config says the same of the engine wherever it names one path. */
export function createHalls(dependencies: HallDependencies): EndpointDependencies['hallFor'] {
  const halls = new Map<string, SocketioHall>();
  return (settings) => {
    const path = settings.path.replace(/\/$/, '');
    const hall = halls.get(path) ?? new SocketioHall(settings, dependencies);
    halls.set(path, hall);
    return hall;
  };
}

/** The adapter that the config has chosen; its section is in `config/edgeward-config.ts`. */
export async function createEndpoint(
  { kind, name, settings }: Config['endpoints'][number],
  { admissions, publishers, hallFor, ...dependencies }: EndpointDependencies,
): Promise<Endpoint> {
  switch (kind) {
    case 'socketio':
      return createSocketioEndpoint(name, settings, {
        ...dependencies,
        hall: hallFor(settings),
        admission: admissions.forConnections(name, settings),
      });
    case 'spaces':
      return createSpacesEndpoint(name, settings, {
        ...dependencies,
        hall: hallFor(settings),
        admission: admissions.forConnections(name, { ...settings, ...inNoRoom }),
        membership: admissions.forSpaces(name, settings),
        template: roomTemplate(settings.space),
        publisher: publisherOf(publishers, settings.publish.to),
        history: await openHistory(settings.history.store, settings.history, dependencies.clock),
      });
    case 'websocket':
      return createRelayEndpoint(name, settings, {
        ...dependencies,
        admission: admissions.forConnections(name, settings),
        binding: admissions.forBinds(name, settings),
      });
    case 'signalr':
      return createSignalrEndpoint(name, settings, {
        ...dependencies,
        // Before there is a connection the answers are those of HTTP.
        admission: admissions.forConnections(name, settings, 'last'),
        joining: admissions.forRooms(name, settings),
      });
  }
}

/** What clients of spaces are in they ask for later. */
const inNoRoom = { query: {}, rooms: [], roomsPerConnectionMax: 1, values: {} };

/** What the config check has let through before. */
function publisherOf(publishers: ReadonlyMap<string, EventPublisher>, source: string): EventPublisher {
  const publisher = publishers.get(source);
  if (publisher) return publisher;
  throw new Error(`The config was not checked: no source "${source}" can be published to`);
}
