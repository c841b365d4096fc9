import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DCLinter } from 'dclint';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { drainDeadlineMs } from '../../src/bootstrap/config/core-settings.ts';
import { connectClient, developmentToken } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startEdgeward, startGatewayProcess } from '../support/gateway-process.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const path = join(root, 'compose.yaml');
const text = readFileSync(path, 'utf8');

type Service = {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
};
/** The linter's own types cannot be resolved from here. */
type LintResult = {
  readonly messages: readonly { readonly type: string; readonly rule: string; readonly message: string }[];
};

const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);

/** Errors by the schema of the Compose specification and by the linter's rules; its wishes for the order of keys are not. */
function lintErrors(content: string): readonly string[] {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'edgeward-'));
  const file = join(folder.path, 'compose.yaml');
  writeFileSync(file, content);
  const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
  const results: readonly LintResult[] = linter.lintFiles([file], false);
  const messages = results.flatMap((result) => result.messages);
  return messages.filter(({ type }) => type === 'error').map(({ rule, message }) => `${rule}: ${message}`);
}

test('is what the Compose specification allows', () => {
  expect(lintErrors(text)).toEqual([]);
});

test.each([
  ['a key that does not exist', 'stop_grace_period', 'stop_grace_time', 'invalid-schema'],
  ['a port on every interface', '"127.0.0.1:8080:8080"', '"8080:8080"', 'no-unbound-port-interfaces'],
  ['an image without a version', ':583.0.0-emulators', ':latest', 'service-image-require-explicit-tag'],
])('%s would be seen', (_what, from, to, rule) => {
  expect(text).toContain(from);
  expect(lintErrors(text.replace(from, to))).toEqual([expect.stringContaining(rule)]);
});

test('publishes nothing beyond this machine', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(2);
  expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
});

test('pins the version of every image that it does not build', () => {
  const others = services.filter(([, { build }]) => build === undefined).map(([, { image }]) => image);
  expect(others).toHaveLength(2);
  expect(others.filter((image) => !/:\d+\.\d+\.\d+-[a-z]+$/.test(image))).toEqual([]);
});

test('whatever a service names is there, and what is waited for tells that it is healthy', () => {
  for (const [name, service] of services) {
    for (const { source } of service.configs ?? []) {
      expect(existsSync(join(root, compose.configs[source]?.file ?? '')), `${name}: ${source}`).toBe(true);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const awaited = compose.services[other];
      if (condition === 'service_healthy') expect(awaited?.healthcheck?.test, `${name}: ${other}`).toBeDefined();
      else expect([condition, awaited?.command?.[0]]).toEqual(['service_completed_successfully', 'topology']);
    }
  }
});

test('Docker waits for longer than a drain may take', () => {
  const [, seconds] = /^(\d+)s$/.exec(compose.services['edgeward']?.stop_grace_period ?? '') ?? [];
  expect(Number(seconds) * 1000).toBeGreaterThan(drainDeadlineMs.parse(undefined));
});

const hasCompose = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;

test.skipIf(!hasCompose)('docker compose itself takes it', () => {
  expect(execFileSync('docker', ['compose', '--file', path, 'config', '--quiet']).toString()).toBe('');
});

const configFile = compose.configs['edgeward']?.file ?? '';

test('the config that it mounts, where the image looks for it, has no problem', async () => {
  const image = readFileSync(join(root, 'Dockerfile'), 'utf8');
  for (const name of ['edgeward', 'topology']) {
    expect(compose.services[name]?.configs).toEqual([{ source: 'edgeward', target: '/app/edgeward.yaml' }]);
  }
  expect(image).toContain('WORKDIR /app');
  expect(image).toContain('CMD ["start", "edgeward.yaml"]');
  // As in the container: on every interface, and so only because it says that it is meant to be exposed.
  const env = { PUBSUB_EMULATOR_HOST: 'pubsub:8085', HOST: '0.0.0.0' };
  const { output, exited } = startEdgeward({ args: ['check', configFile], env });
  expect({ code: await exited, output: output() }).toMatchObject({ code: 0 });
});

describeWithPubSub('what it starts, without containers', () => {
  const emulator = inject('pubsubEmulatorHost');
  const project = `compose-${randomUUID().slice(0, 8)}`;
  const env = { PUBSUB_EMULATOR_HOST: emulator, PUBSUB_PROJECT: project };

  /** The line of docs/operations.md, for this emulator. */
  function publishLine(): string {
    const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const line = /^curl http:\/\/127\.0\.0\.1:8085\/v1\/projects\/edgeward(?:.*\\\n)*.*$/m.exec(page)?.[0] ?? '';
    return line.replace('127.0.0.1:8085/v1/projects/edgeward', `${emulator}/v1/projects/${project}`);
  }

  test('makes its topology once, and an event published as the docs say arrives', async () => {
    const [command, ...args] = compose.services['topology']?.command ?? [];
    expect([command, ...args]).toEqual(['topology', 'apply', 'edgeward.yaml']);
    for (const told of ['4 created', '4 exist']) {
      const { output, exited } = startEdgeward({ args: ['topology', 'apply', configFile], env });
      expect({ code: await exited, output: output() }).toEqual({ code: 0, output: expect.stringContaining(told) });
    }
    await using gateway = await startGatewayProcess({ args: ['start', configFile], env });
    const token = await developmentToken(gateway.url, { tenant: 'demo', roles: ['edgeward.client'] });
    using client = await connectClient(gateway.url, token);
    await promisify(execFile)('sh', ['-c', publishLine()]);
    await eventually(() => expect(client.received.map(({ data }) => data)).toEqual([{ order: 4711 }]));
  });
});
