import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checksSettings, permissionSourcesSettings } from '../../../src/adapters/access/access-settings.ts';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { memorySettings } from '../../../src/adapters/inbound/memory/memory-settings.ts';
import { socketioSettings } from '../../../src/adapters/outbound/socketio/socketio-settings.ts';
import { accessSettings } from '../../../src/adapters/settings-fields.ts';
import { buildRouting } from '../../../src/bootstrap/config/build-routing.ts';
import { createConfigCheck } from '../../../src/bootstrap/config/check-config.ts';
import { createConfigSchema } from '../../../src/bootstrap/config/config-schema.ts';
import { describeProblems } from '../../../src/bootstrap/config/describe-problems.ts';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import type { Environment } from '../../../src/bootstrap/config/reference.ts';
import { Event } from '../../../src/domain/event.ts';

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
    signalr: endpoint.extend({ paths: z.array(z.string()), corsOrigins: z.array(z.string()).default([]) }),
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
  'salto-ks': {
    AMQP_URL: 'amqp://localhost',
    IDENTITY_ISSUER: 'https://identity.example',
    IDENTITY_JWKS_URL: 'https://identity.example/jwks',
    SITE_ROLES_URL: 'https://roles.example/sites/{site_id}',
    CORS_ORIGINS: 'https://a.example, https://b.example',
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

test('salto-ks: an event reaches the stream of its site, and that of its user where it names one', () => {
  const config = draft('salto-ks', environments['salto-ks']);
  const routing = buildRouting(config.routes, config.isolation, compileCondition);
  const roomsOf = (key: string) => {
    const event = new Event({
      id: '1',
      stream: 'salto.events',
      key,
      attributes: new Map(),
      payload: Buffer.from('{}'),
      publishedAt: 0,
      origin: { source: 'amqp', properties: {} },
    });
    const decision = routing.ok ? routing.value.decide(event) : undefined;
    return decision?.kind === 'routed' ? [...decision.rooms] : decision?.cause;
  };
  expect(roomsOf('entries.s1.u1')).toEqual(['entries/sites/s1', 'entries/sites/s1/users/u1']);
  expect(roomsOf('entries.s1')).toEqual(['entries/sites/s1']);
  expect(roomsOf('incidents.s1.u1')).toEqual(['incidents/sites/s1', 'incidents/sites/s1/users/u1']);
  expect(roomsOf('entries')).toBe('no_template');
  expect(roomsOf('other.s1')).toBe('no_rule');
});
