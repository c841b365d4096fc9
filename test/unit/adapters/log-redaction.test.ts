import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeError, safeText } from '../../../src/adapters/operations/describe-error.ts';
import { redactSecrets } from '../../../src/adapters/operations/redact-secrets.ts';

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ';

describe('redaction', () => {
  test.each([
    ['amqp://guest:hunter2@broker:5672/vhost failed', 'amqp://***@broker:5672/vhost failed'],
    ['amqps://user:p@ss:w@rd@broker/', 'amqps://***@broker/'],
    ['redis://:hunter2@cache', 'redis://***@cache'],
    ['https://hunter2@host/path?a=b@c', 'https://***@host/path?a=b@c'],
    ['GET /socket.io/?EIO=4&token=hunter2&transport=websocket', 'GET /socket.io/?EIO=4&token=***&transport=websocket'],
    ['/x?userToken=hunter2', '/x?userToken=***'],
    ['/x?access_token=hunter2#top', '/x?access_token=***#top'],
    ['/x?jwt=hunter2 HTTP/1.1', '/x?jwt=*** HTTP/1.1'],
    ['/x?JWT=hunter2', '/x?JWT=***'],
    ['/x?token%3Dhunter2', '/x?token%3D***'],
    ['client_secret=hunter2&grant_type=a', 'client_secret=***&grant_type=a'],
    ['{"password":"hunter2","user":"a"}', '{"password":"***","user":"a"}'],
    ['{"body":"{\\"token\\": \\"hunter2\\"}"}', '{"body":"{\\"token\\": \\"***\\"}"}'],
    ["{ token: 'a', 'accessToken': 'hunter2' }", "{ token: 'a', 'accessToken': '***' }"],
    ['Authorization: Bearer hunter2', 'Authorization: Bearer ***'],
    ['authorization: basic aHVudGVyMg==', 'authorization: basic ***'],
    [`malformed token ${jwt}, sorry`, 'malformed token ***, sorry'],
    [`tok${jwt}`, 'tok***'],
    [`/x?q=%22${jwt}%22`, '/x?q=%22***%22'],
    [`a_b-${jwt.slice(0, 25)}`, 'a_b-***'],
    ['a monkeyJar.ts', 'a monkeyJar.ts'],
    ['X-Auth-Token=hunter2 sessionToken=hunter2', 'X-Auth-Token=*** sessionToken=***'],
    [`unexpected "${jwt.slice(0, 30)}`, 'unexpected "***'],
    ['-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n', '***\n'],
    [
      'stream att.private.notification.assistance-requests.v1',
      'stream att.private.notification.assistance-requests.v1',
    ],
    ['room tenants/42/users/7, mailto:a@b.test', 'room tenants/42/users/7, mailto:a@b.test'],
    ['the token is missing', 'the token is missing'],
  ])('%s', (text, redacted) => {
    expect(redactSecrets(text)).toBe(redacted);
  });

  test('a JWT is found wherever it stands between characters that it cannot hold', () => {
    const around = fc.string({ unit: fc.constantFrom(' ', '"', '/', '=', '&', ':', ',', '\n', '(') });
    fc.assert(
      fc.property(around, around, (before, after) => {
        expect(redactSecrets(`${before}${jwt}${after}`)).not.toContain(jwt.slice(-10));
      }),
    );
  });

  test.each([
    ['an ey-run', 'ey-'],
    ['an eyJ-run behind letters', 'aeyJ'],
    ['short eyJ-runs behind letters', 'aeyJeyJa.'],
    ['letters', 'a'],
    ['an ey.run', 'eyJaaaaaaaaaa.'],
    ['schemes', '://a:'],
    ['names', 'token'],
    ['quotes', 'token\\'],
    ['keys', '-----BEGIN PRIVATE KEY-----'],
    ['schemes of credentials', 'Bearer '],
  ])('a megabyte of %s takes no long time', (_what, piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    // CPU time, so that a busy machine makes no difference. What is quadratic takes minutes.
    const begin = process.cpuUsage();
    redactSecrets(text);
    const { user } = process.cpuUsage(begin);
    expect(user / 1000).toBeLessThan(5000);
  });
});

describe('errors', () => {
  test('only what is named is taken, with its causes', () => {
    const error = new Error(`401 for ${jwt}`, { cause: new Error('https://a:b@host refused') });
    Object.assign(error, { code: 'E_AUTH', config: { headers: { authorization: 'Bearer hunter2' } }, hunter: 2 });
    expect(describeError(error)).toEqual({
      type: 'Error',
      message: '401 for ***',
      code: 'E_AUTH',
      cause: { type: 'Error', message: 'https://***@host refused' },
    });
  });

  test('the stack is redacted too: it begins with the message', () => {
    const { stack } = describeError(new Error(`bad ${jwt}`), true);
    expect(stack).toMatch(/^Error: bad \*\*\*\n {4}at /);
  });

  test('many errors and deep causes end somewhere', () => {
    const circular = new Error('around');
    circular.cause = circular;
    expect(JSON.stringify(describeError(circular)).match(/around/g)).toHaveLength(4);
    const many = new AggregateError(Array.from({ length: 100 }, () => new Error('one')));
    expect(describeError(many).errors).toHaveLength(5);
  });

  test.each([
    ['text', { type: 'string', message: 'text' }],
    [undefined, { type: 'undefined', message: 'no Error was thrown' }],
    [{ token: 'hunter2' }, { type: 'object', message: 'no Error was thrown' }],
    [Object.create(null), { type: 'object', message: 'no Error was thrown' }],
  ])('%o that is no error is described all the same', (thrown, description) => {
    expect(describeError(thrown)).toEqual(description);
  });

  test('a long text is cut after its secrets are gone', () => {
    const text = `${'x'.repeat(1990)} token=${'y'.repeat(100)}`;
    expect(safeText(text)).toBe(`${'x'.repeat(1990)} token=***`);
    expect(safeText('x'.repeat(3000))).toBe(`${'x'.repeat(2000)}… (3000 characters)`);
  });
});
