import type { SendBudget } from '../adapters/outbound/send-budget.ts';
import { createSignalrEndpoint } from '../adapters/outbound/signalr/signalr-endpoint.ts';
import { createSocketioEndpoint } from '../adapters/outbound/socketio/socketio-endpoint.ts';
import { createRelayEndpoint } from '../adapters/outbound/websocket/relay-endpoint.ts';
import type { ClientGateway } from '../application/ports/client-gateway.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { DeliveryChannel } from '../application/ports/delivery-channel.ts';
import type { HttpSurface } from '../application/ports/http-surface.ts';
import type { Observer } from '../application/ports/observer.ts';
import type { Admissions } from './admissions.ts';
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
};

/** The adapter that the config has chosen; its section is in `config/edgeward-config.ts`. */
export function createEndpoint(
  { kind, name, settings }: Config['endpoints'][number],
  { admissions, ...dependencies }: EndpointDependencies,
): Endpoint {
  switch (kind) {
    case 'socketio':
      return createSocketioEndpoint(name, settings, {
        ...dependencies,
        admission: admissions.forConnections(name, settings),
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
