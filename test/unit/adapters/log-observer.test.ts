import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { combineObservers } from '../../../src/adapters/operations/combine-observers.ts';
import { createLogObserver } from '../../../src/adapters/operations/log-observer.ts';
import { createLogger, type LoggerSettings } from '../../../src/adapters/operations/logger.ts';
import { Fault } from '../../../src/application/fault.ts';
import type { Observation, Observer } from '../../../src/application/ports/observer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ';

/** A log in a file of its own. */
function openLog(settings: Partial<LoggerSettings> = {}) {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'edgeward-log-'));
  onTestFinished(() => folder.remove());
  const destination = join(folder.path, 'log');
  const logger = createLogger({ level: 'debug', format: 'json', colors: false, destination, ...settings });
  const clock = new ManualClock();
  const observer = createLogObserver(logger, clock);
  const text = () => readFileSync(destination, 'utf8');
  const lines = () =>
    text()
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { observe: (observation: Observation) => observer.observe(observation), clock, text, lines };
}

const routed: Observation = {
  kind: 'event-routed',
  source: 'orders',
  stream: 'a.v1',
  eventId: '4711',
  rooms: 2,
  patterns: 0,
  queued: 3,
  dropped: 0,
  rules: [{ rule: 'by-tenant', kind: 'skipped', reason: 'no tenant', error: false }],
};
const admitted: Observation = { kind: 'connection-admitted', endpoint: 'socketio', connection: 'c1', rooms: 2 };

test('one JSON object a line, with level, time, kind and what ties lines together', () => {
  const log = openLog();
  log.observe(routed);
  log.observe(admitted);
  expect(log.lines()).toEqual([
    {
      level: 'debug',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      name: 'edgeward',
      pid: expect.any(Number),
      hostname: expect.any(String),
      ...routed,
      msg: 'event routed',
    },
    expect.objectContaining({ level: 'info', connection: 'c1', msg: 'connection admitted' }),
  ]);
});

const quiet: readonly Observation[] = [
  { kind: 'event-taken', source: 's', stream: 'a', eventId: '1' },
  routed,
  { kind: 'event-unroutable', source: 's', stream: 'a', eventId: '1', cause: 'no_rule', reason: 'r', rules: [] },
  { kind: 'event-unroutable', source: 's', stream: 'a', eventId: '1', cause: 'narrowing', reason: 'r', rules: [] },
  { kind: 'event-delivered', endpoint: 'e', eventId: '1', queued: 1, dropped: 1 },
  { kind: 'message-settled', source: 's', eventId: '1', settlement: 'accept', attempt: 1 },
  { kind: 'token-verified', issuer: 'i', outcome: 'remembered' },
  { kind: 'check-answered', check: 'c', outcome: 'cached' },
];

const told: readonly (readonly ['info' | 'warn' | 'error', Observation])[] = [
  [
    'warn',
    { kind: 'event-unroutable', source: 's', stream: 'a', eventId: '1', cause: 'isolation', reason: 'r', rules: [] },
  ],
  ['error', { kind: 'endpoint-failed', endpoint: 'e', eventId: '1', error: new Error('x') }],
  ['warn', { kind: 'message-settled', source: 's', eventId: '1', settlement: 'retry', attempt: 1, cause: 'x' }],
  ['warn', { kind: 'message-settled', source: 's', eventId: '1', settlement: 'dead-letter', attempt: 5, cause: 'x' }],
  ['info', { kind: 'source-state', source: 's', state: { kind: 'consuming' } }],
  [
    'warn',
    { kind: 'source-state', source: 's', state: { kind: 'waiting', reason: 'no exchange', isConnected: false } },
  ],
  ['error', { kind: 'source-fault', source: 's', error: new Fault('broker_gone', 'retry', 'The broker is gone.') }],
  ['info', admitted],
  ['info', { kind: 'rooms-ignored', endpoint: 'e', connection: 'c', template: 't', reason: 'r' }],
  ['info', { kind: 'access-denied', endpoint: 'e', connection: 'c', code: 'token_expired', reason: 'r' }],
  ['warn', { kind: 'access-unknown', endpoint: 'e', connection: 'c', error: new Error('x') }],
  ['info', { kind: 'connection-closed', endpoint: 'e', connection: 'c', cause: 'transport close' }],
  ['warn', { kind: 'connection-cut', endpoint: 'e', connection: 'c', queuedBytes: 1_048_577 }],
  ['info', { kind: 'issuer-keys', issuer: 'i', outcome: 'fetched' }],
  ['warn', { kind: 'issuer-keys', issuer: 'i', outcome: 'stale', error: new Error('x') }],
  ['warn', { kind: 'issuer-keys', issuer: 'i', outcome: 'failed', error: new Error('x') }],
  ['warn', { kind: 'check-answered', check: 'c', outcome: 'failed', error: new Error('x') }],
  ['warn', { kind: 'check-answered', check: 'c', outcome: 'open-circuit' }],
  ['warn', { kind: 'pressure', queuedBytes: 1, paused: true }],
  ['info', { kind: 'pressure', queuedBytes: 1, paused: false }],
  ['error', { kind: 'request-failed', method: 'GET', route: '/a', error: new Error('x') }],
  ['warn', { kind: 'listener-full', connectionsMax: 1 }],
  ['error', { kind: 'listener-fault', error: new Error('x') }],
];

test('what happens for every event is debug, so that info is quiet', () => {
  const log = openLog({ level: 'info' });
  for (const observation of quiet) log.observe(observation);
  expect(log.text()).toBe('');
});

test.each(told)('%s: %o', (level, observation) => {
  const log = openLog({ level: 'info' });
  log.observe(observation);
  expect(log.lines()).toEqual([expect.objectContaining({ level, kind: observation.kind, msg: expect.any(String) })]);
});

/** What brokers, clients, libraries and operators write as they like. */
const freeTexts: ReadonlySet<string> = new Set(
  'source stream eventId endpoint connection template reason issuer check route method'.split(' '),
);

test('no secret that anybody put anywhere is in a line', () => {
  const log = openLog();
  const secrets = ['hunter2', jwt.slice(-12)];
  const carriers = [`amqp://user:hunter2@broker`, `/x?token=hunter2`, `Bearer hunter2`, jwt, `{"password":"hunter2"}`];
  for (const text of carriers) {
    const error = Object.assign(new Error(text, { cause: new Error(text) }), {
      request: { headers: { token: 'hunter2' } },
    });
    const list = [...quiet, ...told.map(([, observation]) => observation)];
    for (const observation of list) {
      log.clock.advance(1000);
      const planted = Object.entries(observation).map(([name, value]: [string, unknown]) => {
        if (name === 'error') return [name, error];
        if (name === 'rules') return [name, [{ rule: text, kind: 'skipped', reason: text, error: true }]];
        if (name === 'state') return [name, { kind: 'waiting', reason: text, isConnected: false }];
        return [name, freeTexts.has(name) ? text : value];
      });
      log.observe(Object.fromEntries(planted) as Observation);
    }
  }
  expect(log.lines().length).toBe(carriers.length * (quiet.length + told.length));
  for (const secret of secrets) expect(log.text().includes(secret)).toBe(false);
});

test('an error that nobody expected has its stack, a fault has not', () => {
  const log = openLog();
  log.observe({ kind: 'request-failed', method: 'GET', route: '/a', error: new TypeError('x is undefined') });
  log.observe({
    kind: 'source-fault',
    source: 's',
    error: new Fault('gone', 'retry', 'It is gone.', new Error('why')),
  });
  const [unexpected, fault] = log.lines();
  expect(unexpected.error).toMatchObject({ type: 'TypeError', stack: expect.stringContaining('log-observer.test.ts') });
  expect(fault.error).toEqual({
    type: 'Fault',
    code: 'gone',
    message: 'It is gone.',
    cause: { type: 'Error', message: 'why' },
  });
});

test('a storm of one kind is cut to ten lines a second, and the next one says how many there were', () => {
  const log = openLog({ level: 'info' });
  for (let count = 0; count < 25; count += 1) log.observe(admitted);
  log.observe({ kind: 'listener-full', connectionsMax: 1 });
  log.clock.advance(1000);
  log.observe(admitted);
  log.observe(admitted);
  const lines = log.lines();
  expect(lines.map(({ kind, suppressed }) => [kind, suppressed])).toEqual([
    ...Array.from({ length: 10 }, () => ['connection-admitted', undefined]),
    ['listener-full', undefined],
    ['connection-admitted', 15],
    ['connection-admitted', undefined],
  ]);
});

test('a text cannot break out of its line, or talk to the terminal', () => {
  const nasty = 'a\nforged line\r\u001b[31mred\u0007';
  for (const format of ['json', 'pretty'] as const) {
    const log = openLog({ format });
    log.observe({ ...admitted, connection: nasty });
    const text = log.text();
    expect(text.trim().split('\n')).toHaveLength(1);
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u0007');
  }
});

test('for people, a line reads as one', () => {
  const log = openLog({ format: 'pretty' });
  log.observe(admitted);
  expect(log.text()).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: connection admitted \{.*"endpoint":"socketio","connection":"c1","rooms":2\}\n$/,
  );
});

test('a throwing observer harms neither the teller nor the others', () => {
  const first = recordingObserver();
  const last = recordingObserver();
  const broken: Observer = {
    observe() {
      throw new Error('broken');
    },
  };
  combineObservers([first, broken, last]).observe(routed);
  expect(first.observations).toEqual([routed]);
  expect(last.observations).toEqual([routed]);
});
