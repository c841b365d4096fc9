import { z } from 'zod';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { secureUrl } from '../../../src/adapters/secure-url.ts';
import { accessSettings, choiceFields } from '../../../src/adapters/settings-fields.ts';
import { createConfigCheck } from '../../../src/bootstrap/config/check-config.ts';
import { createConfigSchema } from '../../../src/bootstrap/config/config-schema.ts';
import { describeProblems } from '../../../src/bootstrap/config/describe-problems.ts';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import type { Problem } from '../../../src/bootstrap/config/problem.ts';
import type { Environment } from '../../../src/bootstrap/config/reference.ts';

/** Sections that do not change when an adapter does. */
const sections = {
  sources: {
    memory: z.strictObject({
      inFlightMax: z.number().int().min(1).default(64),
      subscriptions: z.array(z.string()).default(['#']),
      paused: z.boolean().default(false),
      password: z.string().min(8).optional(),
      onDeadLetter: z.literal('discard').optional(),
    }),
    http: z.strictObject({
      path: z.string().default('/v1/events'),
      publishTo: z.string().optional(),
      credentials: accessSettings.credentials,
      require: accessSettings.require,
      checks: accessSettings.checks,
    }),
  },
  endpoints: {
    socketio: z.strictObject({
      ...accessSettings,
      path: z.string().default('/socket.io/'),
      queueBytesMax: z.union([z.number().int(), z.literal('none')]).default('none'),
    }),
  },
  identity: z
    .strictObject({
      tokens: z.record(
        z.string(),
        z.strictObject({
          issuers: z.array(z.string()).default([]),
          jwks: secureUrl.optional(),
          development: z.literal(true).optional(),
          variables: z
            .record(z.string(), z.union([z.array(z.string()), z.strictObject({ sha256: z.array(z.string()) })]))
            .default({}),
        }),
      ),
    })
    .optional(),
  checks: z
    .record(z.string(), z.strictObject({ ...choiceFields, url: secureUrl, bearer: z.string().optional() }))
    .default({}),
  permissionSources: z
    .record(z.string(), z.strictObject({ ...choiceFields, url: secureUrl, credential: z.string() }))
    .default({}),
};

export const fixtureSchema = createConfigSchema(sections);

const loader = createConfigLoader({
  schema: fixtureSchema,
  check: createConfigCheck({ compile: compileCondition, publisherKinds: ['memory'] }),
});

export const load = (text: string, environment: Environment = {}) => loader(text, environment);

/** The problems of a config that has some. */
export function problemsOf(text: string, environment: Environment = {}): readonly Problem[] {
  const config = load(text, environment);
  return config.ok ? [] : config.reason;
}

/** One line a problem, as an operator sees them. */
export const described = (text: string, environment: Environment = {}): string =>
  describeProblems('edgeward.yaml', problemsOf(text, environment));

/** The least that is a config; further sections can stand below. */
export const minimal = `
sources: [{ memory: {} }]
endpoints: [{ socketio: {} }]
`;

/** `PATH: MESSAGE` of every problem. */
export const pathsAndMessages = (text: string): readonly string[] =>
  problemsOf(text).map(({ path, message }) => `${path}: ${message}`);

/** Two kinds of token. */
export const tokens = `
identity:
  tokens:
    ocms: { issuers: [machines], variables: { tenant: [tid], workstation: [wid] } }
    iam: { issuers: [people], variables: { tenant: [t], user: [sub] } }
`;

/** A config with these kinds of token and one endpoint, of which the test writes the settings. */
export const endpoint = (settings: string, more = ''): string => `
sources: [{ memory: {} }]
endpoints: [{ socketio: { ${settings} } }]
${tokens}
${more}
`;

export const bothTokens = 'credentials: [{ from: auth.token, accepts: [ocms, iam] }]';

export const tenants =
  'isolation: { event: "{Tenant-Id}", connection: "{tenant}", rooms: ["tenants/{}", "topics/{topic}/tenants/{}"] }';
