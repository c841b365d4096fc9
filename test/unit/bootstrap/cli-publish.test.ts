import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { publishBody, publishedData } from '../../../src/bootstrap/cli/publish-body.ts';
import { fakeCommandIo, fakeFetch } from '../../support/fake-command-io.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const tokens = '/v1/development/tokens';
const events = '/v1/events';
const issue = () => Response.json({ token: 'issued', expiresAt: 0 }, { status: 201 });
const accept = () => Response.json({ events: [{ id: '4711' }] }, { status: 202 });

describe('DATA', () => {
  test.each([
    ['{"a": 1.0}', '{"a": 1.0}'],
    ['12345678901234567890', '12345678901234567890'],
    ['null', 'null'],
    ['"text"', '"text"'],
    [' [1]\n', ' [1]\n'],
    ['hello', '"hello"'],
    ['hello\n', '"hello"'],
    ['hello\r\n', '"hello"'],
    ['hello\n\n', '"hello\\n"'],
    ['', '""'],
    ['{"a":', '"{\\"a\\":"'],
    ['grüße', '"grüße"'],
  ])('%j is sent as %s', (text, sent) => {
    expect(publishedData(utf8(text), false)).toEqual({ ok: true, value: { kind: 'json', text: sent } });
  });

  test('bytes that are no text are refused, and told how to send them', () => {
    expect(publishedData(Uint8Array.of(0xff), false)).toEqual({
      ok: false,
      reason: 'DATA is no UTF-8 text. To send its bytes as they are, add --raw.',
    });
  });

  test('raw bytes stay what they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const data = publishedData(bytes, true);
        const sent = data.ok && data.value.kind === 'bytes' ? Buffer.from(data.value.base64, 'base64') : undefined;
        expect(sent && new Uint8Array(sent)).toEqual(bytes);
      }),
    );
  });
});

describe('body', () => {
  test('holds the data character by character', () => {
    const text = '{"a": 1.0, "n": 12345678901234567890, "b": "\\u0041"}';
    const body = publishBody({ stream: 's', attributes: new Map(), data: { kind: 'json', text } });
    expect(body).toBe(`{"stream":"s","data":${text}}`);
  });

  test('is JSON whatever stands in it, and holds what was meant', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString'));
    fc.assert(
      fc.property(
        name,
        fc.option(name, { nil: undefined }),
        fc.array(fc.tuple(name, fc.string())),
        fc.json(),
        (stream, key, pairs, text) => {
          const attributes = new Map(pairs);
          const body = publishBody({ stream, key, attributes, data: { kind: 'json', text } });
          expect(body).toContain(`"data":${text}}`);
          const parsed = JSON.parse(body);
          expect(parsed.stream).toBe(stream);
          expect(parsed.key).toBe(key);
          expect(new Map(Object.entries(parsed.attributes ?? {}))).toEqual(attributes);
          expect(
            Object.keys(parsed).filter((field) => !['stream', 'key', 'attributes', 'data'].includes(field)),
          ).toEqual([]);
        },
      ),
    );
  });
});

describe('publish', () => {
  test('asks the gateway for a token of the demo tenant, and presents it to it alone', async () => {
    const { fetch, sent } = fakeFetch({ [tokens]: issue, [events]: accept });
    const cli = fakeCommandIo({ fetch });
    const exit = await cli.run(
      'publish',
      'greetings',
      '{"a":1}',
      '--attribute',
      'Tenant-Id=demo',
      '--key',
      'k',
      '--id',
      'i',
    );
    expect([exit, cli.stdout(), cli.stderr()]).toEqual([0, 'accepted 4711\n', '']);
    expect(sent.map(({ path, body, authorization }) => [path, JSON.parse(body), authorization])).toEqual([
      [tokens, { tenant: 'demo', roles: ['edgeward.publisher'] }, null],
      [
        events,
        { stream: 'greetings', key: 'k', id: 'i', attributes: { 'Tenant-Id': 'demo' }, data: { a: 1 } },
        'Bearer issued',
      ],
    ]);
    expect(sent.map(({ redirect }) => redirect)).toEqual(['manual', 'manual']);
  });

  test('the token can be for somebody else', async () => {
    const { fetch, sent } = fakeFetch({ [tokens]: issue, [events]: accept });
    const cli = fakeCommandIo({ fetch });
    const subject = ['--tenant', 't', '--business-unit', 'b', '--workstation', 'w', '--user', 'u'];
    const claims = ['--role', 'r1', '--role', 'r2', '--claim', '__proto__=[1]', '--claim', 'tid="42"'];
    expect(await cli.run('publish', 's', 'd', ...subject, ...claims)).toBe(0);
    expect(sent[0]?.body).toBe(
      '{"tenant":"t","businessUnit":"b","workstation":"w","user":"u","roles":["r1","r2"],' +
        '"claims":{"__proto__":[1],"tid":"42"}}',
    );
  });

  test.each([
    [['--token', 'given'], {}, 'Bearer given'],
    [[], { EDGEWARD_TOKEN: 'variable' }, 'Bearer variable'],
    [['--token', 'given'], { EDGEWARD_TOKEN: 'variable' }, 'Bearer given'],
  ])('%j with %j presents "%s" and asks for none', async (args, env, authorization) => {
    const { fetch, sent } = fakeFetch({ [events]: accept });
    const cli = fakeCommandIo({ fetch, env });
    expect(await cli.run('publish', 's', 'd', ...args)).toBe(0);
    expect(sent.map((request) => [request.path, request.authorization])).toEqual([[events, authorization]]);
  });

  test('without a token where none is issued: tells how to give one, if it is refused', async () => {
    const refuse = () =>
      Response.json({ title: 'Unauthorized', code: 'token_missing', detail: 'Show a token.' }, { status: 401 });
    const { fetch, sent } = fakeFetch({ [events]: refuse });
    const cli = fakeCommandIo({ fetch, env: { EDGEWARD_TOKEN: '' } });
    expect(await cli.run('publish', 's', 'd')).toBe(5);
    expect(sent.at(-1)?.authorization).toBe(null);
    expect(cli.stderr()).toBe(
      'edgeward: Not published: HTTP 401 Unauthorized (token_missing): Show a token. ' +
        'Put a token into the environment variable EDGEWARD_TOKEN, or pass --token.\n',
    );
  });

  test('reads standard input', async () => {
    const { fetch, sent } = fakeFetch({ [tokens]: issue, [events]: accept });
    const cli = fakeCommandIo({ fetch, readStdin: async () => Uint8Array.of(0xff, 0x00) });
    expect(await cli.run('publish', 's', '-', '--raw')).toBe(0);
    expect(JSON.parse(sent[1]?.body ?? '')).toEqual({ stream: 's', dataBase64: '/wA=' });
    expect(await cli.run('publish', 's', '-')).toBe(2);
    expect(cli.stderr()).toMatch(/add --raw/);
  });

  test('a gateway below a path is reached below it', async () => {
    const { fetch, sent } = fakeFetch({ '/edge/v1/events': accept });
    const cli = fakeCommandIo({ fetch });
    expect(await cli.run('publish', 's', 'd', '--token', 't', '--url', 'WSS://host/edge/')).toBe(0);
    expect(sent).toHaveLength(1);
  });

  const answers: readonly (readonly [string, Response, number, RegExp])[] = [
    [
      'malformed',
      Response.json(
        {
          title: 'Bad Request',
          code: 'event_invalid',
          detail: 'No.',
          errors: [{ index: 0, path: '/key', message: 'is too long' }],
        },
        { status: 400 },
      ),
      5,
      /^edgeward: Not published: HTTP 400 Bad Request \(event_invalid\): No: \/key is too long\.\n$/,
    ],
    [
      'not allowed',
      Response.json({ title: 'Forbidden', code: 'access_denied' }, { status: 403 }),
      5,
      /HTTP 403 Forbidden \(access_denied\)\.\n$/,
    ],
    ['too large', new Response('', { status: 413 }), 5, /HTTP 413\.\n$/],
    ['no HTTP source', new Response('', { status: 404 }), 5, /has no HTTP source/],
    [
      'draining',
      Response.json(
        { title: 'Service Unavailable', code: 'draining' },
        { status: 503, headers: { 'retry-after': '2' } },
      ),
      6,
      /Not published now: .*\(draining\)\. Try again in 2 s\.\n$/,
    ],
    ['broken', new Response('<html>', { status: 500 }), 1, /HTTP 500\.\n$/],
    ['somewhere else', new Response('', { status: 302, headers: { location: 'http://elsewhere' } }), 1, /HTTP 302/],
  ];
  test.each(answers)('%s', async (_what, response, exit, message) => {
    const { fetch } = fakeFetch({ [events]: () => response.clone() });
    const cli = fakeCommandIo({ fetch });
    expect(await cli.run('publish', 's', 'd', '--token', 'hunter2')).toBe(exit);
    expect(cli.stderr()).toMatch(message);
    expect(cli.stderr()).not.toContain('hunter2');
    expect(cli.stdout()).toBe('');
  });

  test('nobody there ends with 4, and says what to do', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8080'), { code: 'ECONNREFUSED' });
    const cli = fakeCommandIo({ fetch: () => Promise.reject(new TypeError('fetch failed', { cause: refused })) });
    expect(await cli.run('publish', 's', 'd')).toBe(4);
    expect(cli.stderr()).toBe(
      'edgeward: Cannot reach http://127.0.0.1:8080: ECONNREFUSED. Is the gateway running there? ' +
        '"edgeward start" starts one; --url names another.\n',
    );
  });

  test('an interruption ends with 130 and without a word', async () => {
    const cli = fakeCommandIo({
      fetch: async (_input, init) => {
        const { signal } = init ?? {};
        signal?.throwIfAborted();
        return await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const exit = cli.run('publish', 's', 'd', '--token', 't');
    cli.interrupt();
    expect(await exit).toBe(130);
    expect(cli.stderr()).toBe('');
  });

  test.each(['EPIPE', 'ECONNRESET'])('a gateway that ends the connection with %s amid a long body', async (code) => {
    const fetch = () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(), { code }) }));
    const long = fakeCommandIo({ fetch });
    expect(await long.run('publish', 's', 'x'.repeat(100_000), '--token', 't')).toBe(5);
    expect(long.stderr()).toBe(
      `edgeward: http://127.0.0.1:8080 ended the connection before the whole event was sent (${code}). ` +
        'The event is probably larger than the "bodyBytesMax" of its HTTP source.\n',
    );
    const short = fakeCommandIo({ fetch });
    expect(await short.run('publish', 's', 'x', '--token', 't')).toBe(4);
    expect(short.stderr()).toContain(`Cannot reach http://127.0.0.1:8080: ${code}.`);
  });
});
