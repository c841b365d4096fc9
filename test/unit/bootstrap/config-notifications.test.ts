import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';

const text = readFileSync(new URL('../../../presets/brainlife.yaml', import.meta.url), 'utf8');
const environment = {
  AMQP_URL: 'amqp://guest:guest@localhost',
  JWT_PUBLIC_KEY_FILE: 'key.pem',
  AMARETTI_URL: 'https://brainlife.example/api/amaretti',
  WAREHOUSE_URL: 'https://brainlife.example/api/warehouse',
};

function problems(change: (text: string) => string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  const changed = change(text);
  const config = loadEdgewardConfig(changed, { ...environment, ...more });
  return config.ok ? [] : config.reason.map(({ path, message }) => `${path}: ${message}`);
}

const replaced = (from: string, to: string) => (whole: string) => {
  expect(whole).toContain(from);
  return whole.replace(from, to);
};

test('without a mail server nothing of mail needs to be there; with one all of it does', () => {
  expect(problems((whole) => whole)).toEqual([]);
  expect(problems((whole) => whole, { SMTP_URL: 'smtp://localhost' })).toEqual([
    expect.stringContaining('notifications.handlers.email.from: must be set where there is a mail server'),
    expect.stringContaining('notifications.handlers.email.directory.url: must be set'),
    expect.stringContaining('notifications.handlers.email.directory.bearer: must be set'),
  ]);
  const mail = { SMTP_URL: 'smtp://localhost', MAIL_FROM: 'a@example.com', AUTH_URL: 'https://auth', AUTH_JWT: 'x' };
  expect(problems((whole) => whole, mail)).toEqual([]);
});

test('no password or token of the environment is in a problem', () => {
  const wrong = {
    SMTP_URL: 'smtp://u:secret1@h/x',
    MAIL_FROM: 'secret2',
    AUTH_URL: 'ftp://secret3',
    STORE_URL: 'pg://secret4',
  };
  const found = problems((whole) => whole, wrong);
  expect(found).toHaveLength(5);
  expect(found.join()).not.toMatch(/secret\d/);
});

test.each([
  ['  source: tasks', '  source: task', 'notifications.source: "task" is not in the sources'],
  ['  source: tasks', '  source: amqp', 'notifications.source: "amqp" is what clients bind'],
  ['  owner: user', '  owner: sub', 'notifications.owner: tokens of the kind brainlife do not give {sub}'],
  [
    'header.authorization, accepts: [brainlife]',
    'header.authorization, accepts: [brain]',
    'notifications.credentials[0].accepts[0]: "brain" is not in',
  ],
  ["&& 'admin' in", "&& 'admin' inn", 'notifications.administrators: condition:'],
  ["&& 'admin' in claims", "&& 'admin' in event", 'notifications.administrators: condition:'],
  ['[/notification,', '[/health,', 'is a path of notifications'],
  ['[/notification,', '[/healthz,', 'notifications.paths[0]: is a path of the gateway itself'],
  ['{payload.status}', '{status}', 'notifications.rules[0].event: {status} is none of'],
  ['queues: [event.task]', 'queues: [other]', 'sources[1].amqp.declare'],
])('%s -> %s: %s', (from, to, problem) => {
  expect(problems(replaced(from, to)).join('\n')).toContain(problem);
});

test('NOTIFICATIONS=false switches all of it off', () => {
  const config = loadEdgewardConfig(text, { ...environment, NOTIFICATIONS: 'false' });
  expect(config.ok && config.value.notifications?.enabled).toBe(false);
});
