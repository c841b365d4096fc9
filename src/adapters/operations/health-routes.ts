import type { FastifyPluginAsync } from 'fastify';
import type { ClientGateway } from '../../application/ports/client-gateway.ts';
import type { EventSource } from '../../application/ports/event-source.ts';
import { safeText } from './describe-error.ts';

/** Whether the keys of an issuer are there; a reason may also stand where those from before are still good. */
export type IssuerState = { readonly issuer: string; readonly ok: boolean; readonly reason?: string | undefined };

export type ReadinessParts = {
  readonly sources: () => readonly Pick<EventSource, 'name' | 'state'>[];
  readonly endpoints: () => readonly Pick<ClientGateway, 'name' | 'state' | 'connectionCount' | 'details'>[];
  readonly issuers: () => readonly IssuerState[];
  /** True from the moment that the process was asked to stop. */
  readonly draining: () => boolean;
};

export type Readiness = {
  readonly status: 'ready' | 'not_ready' | 'draining';
  readonly sources: readonly { readonly name: string; readonly state: string; readonly reason?: string }[];
  /** Some say more of themselves, such as `membership`. */
  readonly endpoints: readonly { readonly name: string; readonly state: string; readonly connections: number }[];
  readonly issuers: readonly IssuerState[];
};

/**
 * Whether clients should be sent here. A source that waits for something, or holds back under pressure, does not change
 * that: its reason is shown, and clients that are connected are served. Neither does an issuer without keys, whose
 * clients are told to come back.
 */
export function readiness({ sources, endpoints, issuers, draining }: ReadinessParts): Readiness {
  const sourceStates = sources().map(({ name, state }) => ({
    name,
    state: state.kind,
    ...('reason' in state ? { reason: safeText(state.reason) } : {}),
  }));
  const endpointStates = endpoints().map(({ name, state, connectionCount, details }) => ({
    ...details,
    name,
    state: state.kind,
    connections: connectionCount,
  }));
  const ready =
    sourceStates.every(({ state }) => state === 'consuming' || state === 'waiting' || state === 'paused') &&
    endpointStates.every(({ state }) => state === 'open');
  return {
    status: draining() ? 'draining' : ready ? 'ready' : 'not_ready',
    sources: sourceStates,
    endpoints: endpointStates,
    issuers: issuers().map(({ issuer, ok, reason }) => ({
      issuer,
      ok,
      ...(reason === undefined ? {} : { reason: safeText(reason) }),
    })),
  };
}

/** `GET /healthz`: 200 as long as the process serves at all. Says nothing else, so anybody may ask. */
export const livenessRoutes: FastifyPluginAsync = async (app) => {
  app.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'alive' }));
};

/** `GET /readyz`: 200 or 503, with the states that it follows from. */
export const readinessRoutes =
  (parts: ReadinessParts): FastifyPluginAsync =>
  async (app) => {
    app.get('/readyz', async (_request, reply) => {
      const answer = readiness(parts);
      return reply
        .code(answer.status === 'ready' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(answer);
    });
  };
