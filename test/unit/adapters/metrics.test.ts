import { fastify } from 'fastify';
import { describe, expect, test } from 'vitest';
import type { MetricsParts } from '../../../src/adapters/operations/metric-gauges.ts';
import { createMetrics, metricsRoutes } from '../../../src/adapters/operations/metrics.ts';
import type { Observation } from '../../../src/application/ports/observer.ts';

const nothing: MetricsParts = { version: '1.2.3', sources: () => [], endpoints: () => [] };

/** The gateway's own series, by name and labels. */
async function seriesOf(metrics: { render(): Promise<string> }): Promise<Record<string, number>> {
  const text = await metrics.render();
  const series = text.split('\n').filter((line) => line.startsWith('edgeward_'));
  return Object.fromEntries(
    series.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const event = { source: 'orders', stream: 'tenant-specific-stream', eventId: '1' };

const cases: readonly (readonly [Observation, Record<string, number>])[] = [
  [{ kind: 'event-taken', ...event }, { 'edgeward_events_taken_total{source="orders"}': 1 }],
  [{ kind: 'event-ignored', ...event }, { 'edgeward_events_ignored_total{source="orders"}': 1 }],
  [
    { kind: 'event-routed', ...event, rooms: 2, patterns: 0, queued: 3, dropped: 1, rules: [] },
    { 'edgeward_events_routed_total{source="orders"}': 1 },
  ],
  [
    { kind: 'event-unroutable', ...event, cause: 'isolation', reason: 'r', rules: [] },
    { 'edgeward_events_unroutable_total{source="orders",cause="isolation"}': 1 },
  ],
  [
    { kind: 'event-delivered', endpoint: 'socketio', eventId: '1', queued: 3, dropped: 2 },
    {
      'edgeward_deliveries_queued_total{endpoint="socketio"}': 3,
      'edgeward_deliveries_dropped_total{endpoint="socketio"}': 2,
    },
  ],
  [
    { kind: 'endpoint-failed', endpoint: 'socketio', eventId: '1', error: new Error('x') },
    { 'edgeward_endpoint_failures_total{endpoint="socketio"}': 1 },
  ],
  [
    { kind: 'message-settled', source: 'orders', eventId: '1', settlement: 'dead-letter', attempt: 5, cause: 'c' },
    { 'edgeward_messages_settled_total{source="orders",settlement="dead-letter"}': 1 },
  ],
  [
    { kind: 'source-fault', source: 'orders', error: new Error('x') },
    { 'edgeward_source_faults_total{source="orders"}': 1 },
  ],
  [{ kind: 'source-state', source: 'orders', state: { kind: 'consuming' } }, {}],
  [
    { kind: 'connection-admitted', endpoint: 'socketio', connection: 'c', rooms: 2 },
    { 'edgeward_connections_admitted_total{endpoint="socketio"}': 1 },
  ],
  [
    { kind: 'connection-closed', endpoint: 'socketio', connection: 'c', cause: 'transport close' },
    { 'edgeward_connections_closed_total{endpoint="socketio",cause="transport close"}': 1 },
  ],
  [
    { kind: 'connection-cut', endpoint: 'socketio', connection: 'c', queuedBytes: 9 },
    { 'edgeward_connections_cut_total{endpoint="socketio"}': 1 },
  ],
  [
    { kind: 'rooms-ignored', endpoint: 'socketio', connection: 'c', template: 't', reason: 'r' },
    { 'edgeward_rooms_ignored_total{endpoint="socketio"}': 1 },
  ],
  [
    { kind: 'access-denied', endpoint: 'socketio', connection: 'c', code: 'token_expired', reason: 'r' },
    { 'edgeward_access_denied_total{endpoint="socketio",code="token_expired"}': 1 },
  ],
  [
    { kind: 'access-unknown', endpoint: 'socketio', error: new Error('x') },
    { 'edgeward_access_unknown_total{endpoint="socketio"}': 1 },
  ],
  [
    { kind: 'issuer-keys', issuer: 'https://i/', outcome: 'stale' },
    { 'edgeward_issuer_keys_total{issuer="https://i/",outcome="stale"}': 1 },
  ],
  [
    { kind: 'token-verified', issuer: 'iam', outcome: 'remembered' },
    { 'edgeward_tokens_verified_total{issuer="iam",outcome="remembered"}': 1 },
  ],
  [
    { kind: 'check-answered', check: 'bu', outcome: 'cached' },
    { 'edgeward_checks_total{check="bu",outcome="cached"}': 1 },
  ],
  [
    { kind: 'pressure', queuedBytes: 42, paused: true },
    { edgeward_pressure_queued_bytes: 42, edgeward_pressure_paused: 1 },
  ],
  [
    { kind: 'request-failed', method: 'GET', route: '/v1/events', error: new Error('x') },
    { 'edgeward_request_failures_total{route="/v1/events"}': 1 },
  ],
  [{ kind: 'listener-full', connectionsMax: 1 }, { edgeward_listener_full_total: 1 }],
  [{ kind: 'listener-fault', error: new Error('x') }, { edgeward_listener_faults_total: 1 }],
];

describe('each observation is counted where it belongs, and nowhere else', () => {
  test.each(cases)('%o', async (observation, expected) => {
    const metrics = createMetrics(nothing);
    const before = await seriesOf(metrics);
    metrics.observe(observation);
    expect(await seriesOf(metrics)).toEqual({ ...before, ...expected });
  });

  test('and counted again the next time', async () => {
    const metrics = createMetrics(nothing);
    for (const [observation] of cases) metrics.observe(observation);
    for (const [observation] of cases) metrics.observe(observation);
    const series = await seriesOf(metrics);
    for (const [name, value] of cases.flatMap(([, expected]) => Object.entries(expected))) {
      expect(series[name]).toBe(name.endsWith('_total') || name.includes('_total{') ? value * 2 : value);
    }
  });
});

test('connections and source states are read when somebody asks', async () => {
  let connections = 0;
  const metrics = createMetrics({
    ...nothing,
    sources: () => [{ name: 'orders', state: connections === 0 ? { kind: 'starting' } : { kind: 'consuming' } }],
    endpoints: () => [{ name: 'socketio', connectionCount: connections }],
  });
  expect(await seriesOf(metrics)).toMatchObject({
    'edgeward_connections{endpoint="socketio"}': 0,
    'edgeward_source_state{source="orders",state="starting"}': 1,
    'edgeward_source_state{source="orders",state="consuming"}': 0,
  });
  connections = 7;
  expect(await seriesOf(metrics)).toMatchObject({
    'edgeward_connections{endpoint="socketio"}': 7,
    'edgeward_source_state{source="orders",state="starting"}': 0,
    'edgeward_source_state{source="orders",state="consuming"}': 1,
  });
});

test('labels do not grow with the traffic: no stream, event, connection or room is one', async () => {
  const metrics = createMetrics(nothing);
  const count = async () => Object.keys(await seriesOf(metrics)).length;
  for (const [observation] of cases) metrics.observe(observation);
  const before = await count();
  for (let index = 0; index < 200; index += 1) {
    for (const [observation] of cases) {
      const varied = Object.entries(observation).map(([name, value]: [string, unknown]) =>
        ['stream', 'eventId', 'connection', 'template', 'reason', 'cause', 'method'].includes(name) &&
        observation.kind !== 'event-unroutable'
          ? [name, `${String(value)}-${index}`]
          : [name, value],
      );
      metrics.observe(Object.fromEntries(varied) as Observation);
    }
  }
  // The causes of a library's own words are the one label that is not a closed list: 20 of them, then `other`.
  expect((await count()) - before).toBe(20);
  expect(await seriesOf(metrics)).toHaveProperty(
    ['edgeward_connections_closed_total{endpoint="socketio",cause="other"}'],
    200 - 19,
  );
});

test('two gateways in one process count for themselves, and the process is measured', async () => {
  const first = createMetrics(nothing);
  const second = createMetrics(nothing);
  first.observe({ kind: 'listener-full', connectionsMax: 1 });
  expect(await seriesOf(second)).toMatchObject({
    edgeward_listener_full_total: 0,
    'edgeward_build_info{version="1.2.3"}': 1,
  });
  expect(await first.render()).toMatch(/^nodejs_eventloop_lag_seconds /m);
  expect(await first.render()).toMatch(/^process_resident_memory_bytes /m);
});

test('GET /metrics is the Prometheus text format', async () => {
  const metrics = createMetrics(nothing);
  await using app = fastify();
  app.register(metricsRoutes(metrics));
  const answer = await app.inject('/metrics');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.body).toMatch(/^# HELP edgeward_listener_full_total .*\n# TYPE edgeward_listener_full_total counter/m);
});
