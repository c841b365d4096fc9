import { describe, expect, test } from 'vitest';
import { needed, presetWith, problemsWith } from '../../support/hiiretail-preset.ts';

const source = (environment = {}) => presetWith(environment).sources[0];
const endpoint = (environment = {}) => presetWith(environment).endpoints[0];

test('what has no default is named, with its variable', () => {
  const missing = (name: string) => expect.stringContaining(`the environment variable ${name} has no value`);
  expect(problemsWith({})).toEqual([missing('PUBSUB_PROJECT'), missing('PUBSUB_SUBSCRIPTIONS')]);
  expect(problemsWith({ PUBSUB_DEAD_LETTER_TOPIC: 'dead' })).toEqual([
    missing('PUBSUB_PROJECT'),
    missing('PUBSUB_SUBSCRIPTIONS'),
  ]);
  expect(problemsWith({ ...needed, PUBSUB_PROJECT: '' })).toEqual([missing('PUBSUB_PROJECT')]);
  expect(problemsWith(needed)).toEqual([]);
});

describe('the defaults are the values of the real system', () => {
  const config = presetWith();

  test('section 3.2: OCMS', () => {
    expect(config.identity.tokens['ocms']).toMatchObject({
      issuers: ['https://auth.retailsvc.com/'],
      jwks: 'https://auth.retailsvc.com/.well-known/jwks.json',
      audiences: ['https://hiiretail.com'],
      requireExpiry: true,
    });
  });

  test('section 3.1: IAM', () => {
    expect(config.identity.tokens['iam']).toMatchObject({
      issuers: [
        'https://securetoken.google.com/hiidentity-staff',
        'https://securetoken.google.com/hiidentity-shoppers',
      ],
      jwks: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
      audiences: ['hiidentity-staff', 'hiidentity-shoppers'],
      requireExpiry: true,
    });
  });

  test('section 2: its roles', () => {
    expect(config.identity.roles).toEqual({
      'sio.websocket-client': ['sio.websocket.connect', 'sio.websocket.read', 'sio.websocket.ack'],
      'sio.bu-rooms-client': ['sio.bu-rooms.join'],
    });
  });

  test('section 1: its endpoint, WebSocket only', () => {
    expect(config.endpoints).toMatchObject([
      { settings: { path: '/socket.io/', namespace: '/', eventName: '{stream}', allowPolling: false } },
    ]);
  });

  test('section 6: what a client is told of a message', () => {
    expect(endpoint()?.settings).toHaveProperty('meta', {
      names: 'camel-case',
      fields: { publishTime: '{publishedAt}', messageId: '{id}', tenantId: '{Tenant-Id}' },
    });
  });

  test('nothing is allowed that is for development', () => {
    expect(config.development).toBeUndefined();
    expect(config.listen).toMatchObject({ host: '0.0.0.0', port: 8080 });
    expect(config.listen.operations).toBeUndefined();
  });
});

describe('the variables', () => {
  test('of the listener', () => {
    expect(presetWith({ HOST: '127.0.0.1', PORT: '9000', OPERATIONS_PORT: '9090' }).listen).toMatchObject({
      host: '127.0.0.1',
      port: 9000,
      operations: { host: '127.0.0.1', port: 9090 },
    });
    const environment = { OPERATIONS_PORT: '9090', OPERATIONS_HOST: '::1' };
    expect(presetWith(environment).listen.operations).toEqual({ host: '::1', port: 9090 });
    expect(problemsWith({ ...needed, OPERATIONS_PORT: '8080' })).toEqual([
      expect.stringMatching(/^listen\.operations\.port: is the port of listen/),
    ]);
  });

  test('of Pub/Sub', () => {
    expect(source()).toMatchObject({
      name: 'pubsub',
      kind: 'pubsub',
      settings: {
        project: 'retail',
        subscriptions: ['che.a.v1:one', 'che.b.v1:two'],
        perInstance: false,
        ordered: false,
        onDeadLetter: 'discard',
      },
    });
    const environment = { PUBSUB_EMULATOR_HOST: 'localhost:8085', PUBSUB_PER_INSTANCE: 'true', PUBSUB_ORDERED: 'true' };
    expect(source(environment)?.settings).toMatchObject({
      emulator: 'localhost:8085',
      perInstance: true,
      ordered: true,
    });
    expect(source()?.settings).not.toHaveProperty('emulator');
  });

  test('of dead letters: a topic for them, else none, and nothing else is another', () => {
    const { settings, ...others } = { settings: {}, ...source() };
    const { settings: withTopic, ...same } = { settings: {}, ...source({ PUBSUB_DEAD_LETTER_TOPIC: 'dead' }) };
    const { onDeadLetter, ...usual } = { onDeadLetter: undefined, ...settings };
    expect(onDeadLetter).toBe('discard');
    expect(withTopic).toEqual({ ...usual, deadLetter: expect.objectContaining({ topic: 'dead', by: 'edgeward' }) });
    expect(same).toEqual(others);
    expect(presetWith({ PUBSUB_DEAD_LETTER_TOPIC: 'dead' }).sources).toHaveLength(1);
  });

  test('of the two issuers', () => {
    const environment = {
      OCMS_ISSUER: 'https://one.example/',
      OCMS_JWKS_URL: 'http://127.0.0.1:1/ocms',
      OCMS_AUDIENCE: 'edge',
      IAM_ISSUERS: 'https://two.example, https://three.example',
      IAM_JWKS_URL: 'http://localhost:1/iam',
      IAM_AUDIENCES: 'two, three',
    };
    expect(presetWith(environment).identity.tokens).toMatchObject({
      ocms: { issuers: ['https://one.example/'], jwks: 'http://127.0.0.1:1/ocms', audiences: ['edge'] },
      iam: {
        issuers: ['https://two.example', 'https://three.example'],
        jwks: 'http://localhost:1/iam',
        audiences: ['two', 'three'],
      },
    });
    expect(problemsWith({ ...needed, IAM_AUDIENCES: 'a,b,c' })).toEqual([
      expect.stringMatching(/^identity\.tokens\.iam\.audiences: must be one for all issuers, or one for each/),
    ]);
    expect(problemsWith({ ...needed, OCMS_JWKS_URL: 'http://keys.example/' })).toEqual([
      expect.stringMatching(/^identity\.tokens\.ocms\.jwks: must begin with https/),
    ]);
  });

  test('of clients', () => {
    expect(endpoint()?.settings).toMatchObject({ atTokenExpiry: 'keep', corsOrigins: [] });
    const environment = {
      ALLOW_POLLING: 'true',
      CORS_ORIGINS: 'https://a.example, https://b.example',
      AT_TOKEN_EXPIRY: 'close',
    };
    expect(endpoint(environment)?.settings).toMatchObject({
      allowPolling: true,
      corsOrigins: ['https://a.example', 'https://b.example'],
      atTokenExpiry: 'close',
    });
    expect(problemsWith({ ...needed, CORS_ORIGINS: 'https://a.example' })).toEqual([
      expect.stringMatching(/^endpoints\[0\]\.socketio\.corsOrigins: has no effect without/),
    ]);
  });

  test('of logs', () => {
    expect(presetWith().log.level).toBe('info');
    expect(presetWith({ LOG_LEVEL: 'debug' }).log.level).toBe('debug');
  });
});
