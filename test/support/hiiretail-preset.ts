import { readFileSync } from 'node:fs';
import { compileCondition } from '../../src/adapters/access/cel-condition.ts';
import { createIdentityVerifier } from '../../src/adapters/identity/identity-verifier.ts';
import { presentedBy } from '../../src/adapters/outbound/presented-by.ts';
import { createTopicBindings } from '../../src/application/topic-bindings.ts';
import { createAdmissions } from '../../src/bootstrap/admissions.ts';
import { buildRouting } from '../../src/bootstrap/config/build-routing.ts';
import { describeProblems } from '../../src/bootstrap/config/describe-problems.ts';
import { type Config, loadEdgewardConfig } from '../../src/bootstrap/config/edgeward-config.ts';
import type { Environment } from '../../src/bootstrap/config/reference.ts';
import type { EventRouting, RoutingDecision } from '../../src/domain/ports/event-routing.ts';
import { allowedValue, eventOf } from './domain-fixtures.ts';
import { type TestKey, testKey } from './key-server.ts';
import { ManualClock } from './manual-clock.ts';
import { recordingObserver } from './recording-observer.ts';

export const now = Date.UTC(2026, 0, 1);

export const presetText = readFileSync(new URL('../../presets/hiiretail.yaml', import.meta.url), 'utf8');

/** What the preset cannot do without. */
export const needed: Environment = { PUBSUB_PROJECT: 'retail', PUBSUB_SUBSCRIPTIONS: 'che.a.v1:one, che.b.v1:two' };

/** Loads the preset as `edgeward start` does, with `needed` and this. */
export function presetWith(environment: Environment = {}, text = presetText): Config {
  const config = loadEdgewardConfig(text, { ...needed, ...environment });
  if (!config.ok) throw new Error(describeProblems('hiiretail.yaml', config.reason));
  return config.value;
}

/** `PATH: MESSAGE` of every problem, with exactly this environment. */
export function problemsWith(environment: Environment, text = presetText): readonly string[] {
  const config = loadEdgewardConfig(text, environment);
  return config.ok ? [] : config.reason.map(({ path, message }) => `${path}: ${message}`);
}

const [ocmsKey, iamKey] = await Promise.all([testKey('o'), testKey('i')]);

export type Claims = Readonly<Record<string, unknown>>;

const mint =
  (key: TestKey, usual: Claims) =>
  (claims: Claims = {}): Promise<string> =>
    key.sign({ exp: now / 1000 + 3600, ...usual, ...claims });

/** Section 3.2: a machine of a workstation, which may connect. */
export const ocms = mint(ocmsKey, {
  iss: 'https://auth.retailsvc.com/',
  aud: ['https://hiiretail.com'],
  client_id: 'till-1',
  tid: 't1',
  business_unit_id: 'b1',
  workstation_id: '0001',
  roles: ['sio.websocket-client'],
});

export const staff = 'https://securetoken.google.com/hiidentity-staff';

/** Section 3.1: a person, without any role. */
export const iam = mint(iamKey, {
  iss: staff,
  aud: 'hiidentity-staff',
  sub: 'ann',
  'https://extendaretail.com/tenant': 't1',
  'https://extendaretail.com/groups': ['cashiers'],
});

/** Signed with the key of the other kind. */
export const forgedIam = mint(ocmsKey, {
  iss: staff,
  aud: 'hiidentity-staff',
  'https://extendaretail.com/tenant': 't1',
});

/** `query` is that of the URL as it is on the wire. */
export type Presents = { readonly token?: unknown; readonly query?: string };

/** What becomes of a client: its rooms, sorted, and what it does not get; or the code of the refusal. */
export type Outcome =
  | { readonly rooms: readonly string[]; readonly ignored: readonly { template: string; reason: string }[] }
  | { readonly denied: string; readonly reason: string }
  | { readonly tryLater: true };

/** The preset's way in. Time stands still at `now` until a test moves it. */
export type Door = { readonly clock: ManualClock; readonly admit: (presents: Presents) => Promise<Outcome> };

/** Lets clients in as the preset's endpoint does. Only the keys are given here instead of being fetched. */
export function openDoor(environment: Environment = {}): Door {
  const observer = recordingObserver();
  const clock = new ManualClock(now);
  const config = presetWith(environment);
  const [endpoint] = config.endpoints;
  if (endpoint?.kind !== 'socketio') throw new Error('the preset has no endpoint');
  const verifier = createIdentityVerifier(withKeys(config.identity), { clock, observer });
  const admissions = createAdmissions({ config, verifier, bindings: createTopicBindings(() => []), clock, observer });
  const admission = admissions.forConnections(endpoint.name, endpoint.settings);
  return {
    clock,
    async admit({ token, query = '' }) {
      const url = `/socket.io/?EIO=4&transport=websocket${query}`;
      const presented = presentedBy({ url, headers: {}, auth: token === undefined ? {} : { token } });
      const admitted = await admission.admit('c1', presented, new AbortController().signal);
      if (admitted.kind === 'denied') return { denied: admitted.denial.code, reason: admitted.denial.reason };
      if (admitted.kind === 'try-later') return { tryLater: true };
      const ignored = observer.of('rooms-ignored').map(({ template, reason }) => ({ template, reason }));
      return { rooms: [...admitted.rooms].sort(), ignored };
    },
  };
}

export const admit = (presents: Presents, environment: Environment = {}): Promise<Outcome> =>
  openDoor(environment).admit(presents);

/** Its rooms; a refusal fails the test. */
export async function roomsOf(presents: Presents, environment: Environment = {}): Promise<readonly string[]> {
  const outcome = await admit(presents, environment);
  if ('rooms' in outcome) return outcome.rooms;
  throw new Error(JSON.stringify(outcome));
}

/** Why it is refused; a client that is let in fails the test. */
export async function denialOf(presents: Presents, environment: Environment = {}): Promise<string> {
  const outcome = await admit(presents, environment);
  if ('denied' in outcome) return outcome.denied;
  throw new Error(JSON.stringify(outcome));
}

function withKeys(identity: Config['identity']): Config['identity'] {
  const pems: Readonly<Record<string, string>> = { ocms: ocmsKey.publicPem, iam: iamKey.publicPem };
  const tokens = Object.entries(identity.tokens).map(([name, kind]) => [
    name,
    { ...kind, jwks: undefined, pem: pems[name] },
  ]);
  return { ...identity, tokens: Object.fromEntries(tokens) };
}

/** Loading the preset takes longer than asking it. */
const routings = new Map<string, EventRouting>();

function routingWith(environment: Environment, text: string): EventRouting {
  const key = JSON.stringify([environment, text]);
  const known = routings.get(key);
  if (known) return known;
  const { routes, isolation } = presetWith(environment, text);
  const routing = allowedValue(buildRouting(routes, isolation, compileCondition));
  routings.set(key, routing);
  return routing;
}

/** Where the preset sends a message with these attributes. */
export const decisionFor = (
  attributes: Readonly<Record<string, string>>,
  environment: Environment = {},
  text = presetText,
): RoutingDecision => routingWith(environment, text).decide(eventOf(attributes, { stream: 'che.a.v1' }));

/** The rooms, or why there are none. */
export function targetsOf(
  attributes: Readonly<Record<string, string>>,
  environment: Environment = {},
): readonly string[] | string {
  const decision = decisionFor(attributes, environment);
  return decision.kind === 'routed' ? [...decision.rooms] : decision.cause;
}

/** The same rooms once more below the topic of the message. */
export const alsoUnderTopic = (rooms: readonly string[]): readonly string[] => [
  ...rooms,
  ...rooms.map((room) => `topics/che.a.v1/${room}`),
];
