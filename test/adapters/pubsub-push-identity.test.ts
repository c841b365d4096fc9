import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadEdgewardConfig } from '../../src/bootstrap/config/edgeward-config.ts';
import { composeGateway } from '../../src/bootstrap/container.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, post } from '../support/http-publishing.ts';
import { type KeyServer, startKeyServer, testKey } from '../support/key-server.ts';
import { pushBody } from '../support/pubsub-push.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { recordingObserver } from '../support/recording-observer.ts';

const audience = 'https://edgeward.example.com/v1/push/orders';
const account = 'edgeward-push@edgeward-test.iam.gserviceaccount.com';
const [key, otherKey] = await Promise.all([testKey('google-key'), testKey('google-key')]);
let keys: KeyServer;
let port: number;

/** As docs/operations.md says it, with a key server of our own in the place of Google's. */
const config = (jwks: string, require: string, more = '') => `
listen: { port: 0 }
log: { level: error }
sources:
  - name: orders
    pubsubPush:
      project: edgeward-test
      subscriptions: ["orders.v1:orders-push"]
      credentials: [{ from: header.authorization, accepts: [google] }]
      require: "${require}"
      ${more}
      onDeadLetter: discard
identity:
  tokens:
    google:
      issuers: [https://accounts.google.com]
      jwks: ${jwks}
      audiences: [${audience}]
endpoints: [{ socketio: {} }]
`;

async function startGateway(text: string) {
  const loaded = loadEdgewardConfig(text, {});
  if (!loaded.ok) throw new Error(loaded.reason.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const observer = recordingObserver();
  const gateway = await composeGateway(loaded.value, { version: 'test', observer });
  const { listener } = await gateway.start();
  return { gateway, observer, port: listener.port };
}

const claims = (more: Record<string, unknown> = {}) => ({
  iss: 'https://accounts.google.com',
  aud: audience,
  azp: '113774264463038321964',
  sub: '113774264463038321964',
  email: account,
  email_verified: true,
  iat: Math.floor(Date.now() / 1000),
  exp: Math.floor(Date.now() / 1000) + 3600,
  ...more,
});

const push = (authorization: string | string[] | undefined, at = port, body = pushBody()): Promise<Answer> =>
  post(`http://127.0.0.1:${at}/v1/push/orders`, body, {
    'content-type': 'application/json',
    ...(authorization === undefined ? {} : { authorization }),
  });

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

beforeAll(async () => {
  keys = await startKeyServer(key);
  const require = `google.claims.email == '${account}' && google.claims.email_verified == true`;
  const started = await startGateway(config(keys.jwksUrl, require));
  port = started.port;
  return () => started.gateway.stop(0);
});

afterAll(() => keys.close());

describe('a push is taken with the token of the one service account', () => {
  test('as Pub/Sub sends it', async () => {
    expect(await push(`Bearer ${await key.sign(claims())}`)).toMatchObject({ status: 204, body: '' });
  });

  test('the scheme in any case', async () => {
    expect((await push(`bearer ${await key.sign(claims())}`)).status).toBe(204);
  });
});

describe('a push is refused', () => {
  const minuteAgo = Math.floor(Date.now() / 1000) - 60;
  const invalid = 'Bearer error="invalid_token"';

  test.each<[what: string, claims: Record<string, unknown>, status: number, code: string, challenge?: string]>([
    ['for somebody else', { aud: 'https://edgeward.example.com/' }, 401, 'token_audience_wrong', invalid],
    ['for nobody', { aud: undefined }, 401, 'token_audience_wrong', invalid],
    ['by another issuer', { iss: 'https://accounts.example.com' }, 401, 'token_issuer_unknown', invalid],
    ['by nobody', { iss: undefined }, 401, 'token_issuer_unknown', invalid],
    ['that has expired', { exp: minuteAgo }, 401, 'token_expired', invalid],
    ['that never expires', { exp: undefined }, 401, 'token_claims_invalid', invalid],
    ['that is not valid yet', { nbf: minuteAgo + 3600 }, 401, 'token_not_yet_valid', invalid],
    ['of another service account', { email: 'other@edgeward-test.iam.gserviceaccount.com' }, 403, 'access_denied'],
    ['of an address that nobody has verified', { email_verified: false }, 403, 'access_denied'],
    ['of an address that is not said to be verified', { email_verified: undefined }, 403, 'access_denied'],
    ['without an address', { email: undefined }, 403, 'access_denied'],
  ])('with a token %s', async (_what, more, status, code, challenge) => {
    const token = await key.sign(claims(more));
    const answer = await push(`Bearer ${token}`);
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(JSON.stringify(answer)).not.toContain(token.slice(-20));
  });

  test.each<[what: string, token: () => Promise<string> | string, code: string]>([
    ['of another key by the same id', () => otherKey.sign(claims()), 'token_signature_invalid'],
    [
      'HS256 with the public key',
      async () => {
        const { SignJWT } = await import('jose');
        const secret = new TextEncoder().encode(key.publicPem);
        return new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(secret);
      },
      'token_algorithm_refused',
    ],
    [
      'that is not signed',
      () => `${base64url({ alg: 'none', kid: key.kid })}.${base64url(claims())}.`,
      'token_algorithm_refused',
    ],
    [
      'whose claims were changed',
      async () => {
        const [head, , signature] = (await key.sign(claims({ email: 'other@example.com' }))).split('.');
        return `${head}.${base64url(claims())}.${signature}`;
      },
      'token_signature_invalid',
    ],
    ['that is none', () => 'abc', 'token_malformed'],
  ])('with a token %s', async (_what, token, code) => {
    expect(await push(`Bearer ${await token()}`)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': invalid },
      body: { code },
    });
  });

  test('without a token', async () => {
    expect(await push(undefined)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { code: 'token_missing' },
    });
  });

  test('with a token in the wrong place, or without its scheme', async () => {
    const token = await key.sign(claims());
    expect(await push(token)).toMatchObject({ status: 401, body: { code: 'token_malformed' } });
    const inQuery = await post(`http://127.0.0.1:${port}/v1/push/orders?token=${token}`, pushBody());
    expect(inQuery).toMatchObject({ status: 401, body: { code: 'token_missing' } });
  });

  test('before its body is there', async () => {
    await using connection = await openRawConnection(port);
    connection.send(
      'POST /v1/push/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{',
    );
    expect(await connection.receives(/token_missing/)).toMatch(/^HTTP\/1.1 401 /);
  });
});

test('a condition may read the message: stream and attributes', async () => {
  const require = `google.claims.email == '${account}' && event.stream == 'orders.v1' && event.attributes['a'] == 'b'`;
  const started = await startGateway(config(keys.jwksUrl, require));
  onTestFinished(() => void started.gateway.stop(0));
  const authorization = `Bearer ${await key.sign(claims())}`;
  expect((await push(authorization, started.port, pushBody({ attributes: { a: 'b' } }))).status).toBe(204);
  expect(await push(authorization, started.port)).toMatchObject({ status: 403, body: { code: 'access_denied' } });
});

test('while the key server is away nobody can tell, so Pub/Sub is to come again; then all is well', async () => {
  const away = await startKeyServer(key);
  await away.down();
  const started = await startGateway(
    config(away.jwksUrl, `google.claims.email == '${account}'`, 'admissionMsMax: 100'),
  );
  onTestFinished(() => void started.gateway.stop(0));
  const authorization = `Bearer ${await key.sign(claims())}`;
  const answer = await push(authorization, started.port);
  expect(answer).toMatchObject({ status: 503, body: { code: 'try_later' } });
  expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(started.observer.of('access-unknown')).toMatchObject([{ endpoint: 'orders' }]);
  await away.up();
  onTestFinished(() => away.close());
  await eventually(async () => expect((await push(authorization, started.port)).status).toBe(204));
});
