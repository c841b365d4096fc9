import { describe, expect, test } from 'vitest';
import { loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';
import { readText } from '../../architecture/source-file.ts';

const google = `
identity:
  tokens:
    google:
      issuers: [https://accounts.google.com]
      jwks: https://www.googleapis.com/oauth2/v3/certs
      audiences: [https://edgeward.example.com/v1/push/orders]
`;
const credentials = 'credentials: [{ from: header.authorization, accepts: [google] }]';
const require = `require: "google.claims.email == 'push@p.iam.gserviceaccount.com' && google.claims.email_verified == true"`;
const pushes = `project: my-project, subscriptions: ["orders:orders-push"], onDeadLetter: discard`;

const source = (settings: string, name = 'orders'): string => `{ name: ${name}, pubsubPush: { ${settings} } }`;
const secured = (name?: string) => source(`${pushes}, ${credentials}, ${require}`, name);

const config = (sources: readonly string[], endpoint = '/socket.io/', more = ''): string => `
sources: [${sources.join(', ')}]
endpoints: [{ socketio: { path: ${endpoint} } }]
${google}${more}
`;

const linesOf = (text: string): readonly string[] => {
  const loaded = loadEdgewardConfig(text, {});
  return loaded.ok ? [] : loaded.reason.map(({ path, message }) => `${path}: ${message}`);
};

test('the config of docs/operations.md', () => {
  const [, section = ''] = readText('docs/operations.md').split('\n## Pub/Sub push\n');
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? [];
  expect(loadEdgewardConfig(text, {})).toMatchObject({
    ok: true,
    value: {
      sources: [
        {
          kind: 'pubsubPush',
          name: 'orders',
          settings: { bodyBytesMax: 15_728_640, inFlightMax: 256, inFlightBytesMax: 67_108_864, leaseMsMax: 60_000 },
        },
      ],
    },
  });
});

describe('an open door is refused', () => {
  const place = 'sources[0].pubsubPush';

  test('without credentials', () => {
    expect(linesOf(config([source(pushes)]))).toEqual([
      `${place}.credentials: without credentials everybody could publish; name some, or say \`development: true\` on your own machine`,
    ]);
  });

  test('without a condition: whoever has an account of Google can get a token for any audience', () => {
    expect(linesOf(config([source(`${pushes}, ${credentials}`)]))).toEqual([
      `${place}.require: without a condition every token could publish anything; name one, or say \`development: true\` on your own machine`,
    ]);
  });

  test('unless it is said', () => {
    expect(linesOf(config([source(pushes)], '/socket.io/', 'development: true\n'))).toEqual([]);
  });
});

describe('settings', () => {
  test.each([
    [
      `${pushes}, ${credentials.replace('header.authorization', 'auth.token')}, ${require}`,
      'credentials[0].from: must be header.NAME or query.NAME: an HTTP request has no auth',
    ],
    [
      `${pushes.replace('orders:orders-push', 'orders-push')}, ${credentials}, ${require}`,
      'subscriptions[0]: must be topic:subscription, because what is pushed does not say its topic',
    ],
    [
      `${pushes.replace(', onDeadLetter: discard', '')}, ${credentials}, ${require}`,
      'onDeadLetter: say where dead letters go (deadLetter), or onDeadLetter: discard',
    ],
    [
      `${pushes}, ${credentials.replace('[google]', '[goggle]')}, ${require}`,
      'credentials[0].accepts[0]: "goggle" is not in identity.tokens; there are google',
    ],
    [
      `${pushes}, ${credentials}, require: "gogle.claims.email == 'a'"`,
      'require: condition: there is no "gogle" here; it may read check, claims, connection, event, google, permissions, query, roles, variables',
    ],
  ])('%s', (settings, line) => {
    expect(linesOf(config([source(settings)]))).toEqual([`sources[0].pubsubPush.${line}`]);
  });
});

describe('the path has the name of the source in it', () => {
  const development = 'development: true\n';
  const named = 'makes the path /v1/push/orders, which is one of sources[0], too; give it another name';
  const taken = 'is a path of sources[0], too, or stands above one; choose another';

  test.each([
    [[secured()], '/v1/push/other', []],
    [[secured()], '/v1/push/orders/below', []],
    [[secured()], '/v1/push/orders/', [`endpoints[0].socketio.path: ${taken}`]],
    [[secured()], '/v1/push', [`endpoints[0].socketio.path: ${taken}`]],
    [[secured(), '{ http: { path: /v1/push/orders } }'], '/x', [`sources[1].http.path: ${taken}`]],
    [['{ http: { path: /v1/push/orders } }', secured()], '/x', [`sources[1].name: ${named}`]],
    [[secured(), secured('others')], '/x', []],
    [
      [secured(), secured()],
      '/x',
      ['sources[1].name: "orders" is the name of sources[0], too; give one of them another'],
    ],
    [
      ['{ http: { path: /v1/push/pubsubPush } }', `{ pubsubPush: { ${pushes} } }`],
      '/x',
      [`sources[1].name: ${named.replace('orders', 'pubsubPush')}`],
    ],
  ])('%j and an endpoint at %s', (sources, endpoint, lines) => {
    expect(linesOf(config(sources, endpoint, development))).toEqual(lines);
  });
});
