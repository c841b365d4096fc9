import type { DevelopmentIssuer } from '../adapters/identity/development-issuer.ts';
import { developmentTokenRoutes } from '../adapters/identity/development-token-routes.ts';
import { livenessRoutes, readinessRoutes } from '../adapters/operations/health-routes.ts';
import { type Metrics, metricsRoutes } from '../adapters/operations/metrics.ts';
import type { Config } from './config/edgeward-config.ts';
import type { GatewayParts } from './gateway.ts';

export type RoutedParts = Pick<
  GatewayParts,
  'listener' | 'operations' | 'identity' | 'sources' | 'endpoints' | 'notifications' | 'stopping'
> & {
  readonly issuer: DevelopmentIssuer | undefined;
  readonly metrics: Metrics;
};

/** Which HTTP routes stand on which listener. */
export function registerRoutes({ development }: Config, parts: RoutedParts): void {
  const {
    listener,
    operations = listener,
    identity,
    sources,
    endpoints,
    notifications,
    stopping,
    issuer,
    metrics,
  } = parts;
  for (const each of new Set([listener, operations])) each.register(livenessRoutes);
  operations.register(
    readinessRoutes({
      sources: () => sources,
      endpoints: () => endpoints,
      issuers: () => identity.keysStates(),
      draining: () => stopping.signal.aborted,
    }),
  );
  operations.register(metricsRoutes(metrics));
  for (const { routes } of sources) if (routes) listener.register(routes);
  if (notifications) listener.register(notifications.routes);
  if (issuer && development) listener.register(developmentTokenRoutes(issuer, development));
}
