import { fastify } from 'fastify';
import { describe, expect, test } from 'vitest';
import {
  livenessRoutes,
  type ReadinessParts,
  readiness,
  readinessRoutes,
} from '../../../src/adapters/operations/health-routes.ts';
import type { GatewayState } from '../../../src/application/ports/client-gateway.ts';
import type { SourceState } from '../../../src/application/ports/event-source.ts';

const parts = (source: SourceState, endpoint: GatewayState['kind'] = 'open', draining = false): ReadinessParts => ({
  sources: () => [{ name: 'orders', state: source }],
  endpoints: () => [{ name: 'socketio', state: { kind: endpoint }, connectionCount: 3 }],
  issuers: () => [],
  draining: () => draining,
});

describe('readiness', () => {
  test.each<[SourceState, 'ready' | 'not_ready']>([
    [{ kind: 'consuming' }, 'ready'],
    [{ kind: 'waiting', reason: 'no exchange "orders"', isConnected: false }, 'ready'],
    [{ kind: 'paused', reason: 'pressure' }, 'ready'],
    [{ kind: 'starting' }, 'not_ready'],
    [{ kind: 'stopped' }, 'not_ready'],
    [{ kind: 'draining' }, 'not_ready'],
  ])('a source that is %o is %s', (state, status) => {
    expect(readiness(parts(state)).status).toBe(status);
  });

  test.each<[GatewayState['kind'], 'ready' | 'not_ready']>([
    ['open', 'ready'],
    ['closed', 'not_ready'],
    ['closing', 'not_ready'],
  ])('an endpoint that is %s is %s', (state, status) => {
    expect(readiness(parts({ kind: 'consuming' }, state)).status).toBe(status);
  });

  test('a process that was asked to stop is draining, whatever still works', () => {
    expect(readiness(parts({ kind: 'consuming' }, 'open', true)).status).toBe('draining');
  });

  test('every state is shown with its reason, without secrets', () => {
    const answer = readiness({
      ...parts({ kind: 'waiting', reason: 'amqp://user:hunter2@broker/ has no exchange "orders"', isConnected: false }),
      issuers: () => [
        { issuer: 'ocms', ok: true },
        { issuer: 'iam', ok: false, reason: 'https://user:hunter2@keys.test timed out' },
      ],
    });
    expect(answer).toEqual({
      status: 'ready',
      sources: [{ name: 'orders', state: 'waiting', reason: 'amqp://***@broker/ has no exchange "orders"' }],
      endpoints: [{ name: 'socketio', state: 'open', connections: 3 }],
      issuers: [
        { issuer: 'ocms', ok: true },
        { issuer: 'iam', ok: false, reason: 'https://***@keys.test timed out' },
      ],
    });
  });
});

describe('routes', () => {
  test.each([
    [parts({ kind: 'consuming' }), 200, 'ready'],
    [parts({ kind: 'starting' }), 503, 'not_ready'],
    [parts({ kind: 'consuming' }, 'open', true), 503, 'draining'],
  ])('GET /readyz', async (given, status, text) => {
    await using app = fastify();
    app.register(readinessRoutes(given));
    const answer = await app.inject('/readyz');
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ status: text });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('GET /healthz says that the process lives, and nothing else', async () => {
    await using app = fastify();
    app.register(livenessRoutes);
    const answer = await app.inject('/healthz');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: 'alive' });
  });
});
