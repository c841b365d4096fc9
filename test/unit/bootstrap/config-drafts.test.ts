import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checksSettings, permissionSourcesSettings } from '../../../src/adapters/access/access-settings.ts';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { memorySettings } from '../../../src/adapters/inbound/memory/memory-settings.ts';
import { socketioSettings } from '../../../src/adapters/outbound/socketio/socketio-settings.ts';
import { accessSettings } from '../../../src/adapters/settings-fields.ts';
import { createConfigCheck } from '../../../src/bootstrap/config/check-config.ts';
import { createConfigSchema } from '../../../src/bootstrap/config/config-schema.ts';
import { describeProblems } from '../../../src/bootstrap/config/describe-problems.ts';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import type { Environment } from '../../../src/bootstrap/config/reference.ts';

/** Adapters that are not there yet: the words of every endpoint, and whatever else they will have. */
const endpoint = z.looseObject(accessSettings);

const schema = createConfigSchema({
  sources: {
    memory: memorySettings,
    pubsub: z.looseObject({ project: z.string(), subscriptions: z.array(z.string()).min(1) }),
    amqp: z.looseObject({ url: z.string().optional(), queue: z.string().optional() }),
  },
  endpoints: {
    socketio: socketioSettings,
    spaces: endpoint.extend({ history: z.looseObject({ store: z.string().optional() }) }),
  },
  identity: identitySettings.prefault({}),
  checks: checksSettings.default({}),
  permissionSources: permissionSourcesSettings.default({}),
});

const loader = createConfigLoader({
  schema,
  check: createConfigCheck({ compile: compileCondition, publisherKinds: ['memory', 'pubsub', 'amqp'] }),
});

function draft(name: string, environment: Environment) {
  const file = new URL(`drafts/${name}.yaml`, import.meta.url);
  const config = loader(readFileSync(file, 'utf8'), environment);
  if (!config.ok) throw new Error(describeProblems(`${name}.yaml`, config.reason));
  return config.value;
}

const environments = {
  'avaya-spaces': {
    JWT_ISSUERS: 'zang.io',
    JWT_JWKS_URL: 'https://accounts.example/jwks',
    ANONYMOUS_JWT_SECRET: 'a secret of thirty-two bytes or more',
    MEMBERSHIP_URL: 'https://spaces.example/api/spaces/{space}/join',
  },
} as const;

test.each(Object.entries(environments))('%s fits into the frame', (name, environment) => {
  const config = draft(name, environment);
  expect(config.listen).toMatchObject({ host: '0.0.0.0', port: 8080 });
  expect(config.development).toBeUndefined();
});

test.each(Object.entries(environments))(
  '%s names every variable that is missing, and no other',
  (name, environment) => {
    const file = new URL(`drafts/${name}.yaml`, import.meta.url);
    const config = loader(readFileSync(file, 'utf8'), {});
    const missing = config.ok
      ? []
      : config.reason.map(({ message }) => /variable (\w+) has no value/.exec(message)?.[1]);
    const needed = Object.keys(environment).filter((variable) => !['CORS_ORIGINS', 'AMQP_URL'].includes(variable));
    expect([...new Set(missing.filter((each) => each !== undefined))].sort()).toEqual(needed.sort());
  },
);

test.each([
  [{}, ['memory']],
  [{ PUBSUB_PROJECT: 'p' }, ['pubsub']],
  [{ AMQP_URL: 'amqp://localhost' }, ['amqp']],
  [{ AMQP_URL: 'amqp://localhost', PUBSUB_PROJECT: 'p' }, ['amqp']],
])('avaya-spaces: with %j the broker is %j', (more, kinds) => {
  const { sources } = draft('avaya-spaces', { ...environments['avaya-spaces'], ...more });
  expect(sources.map(({ kind }) => kind)).toEqual(kinds);
  expect(sources.map(({ name }) => name)).toEqual(['broker']);
});
