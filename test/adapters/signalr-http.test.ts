import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Admission } from '../../src/application/ports/admission.ts';
import type { DenialCode } from '../../src/domain/denial.ts';
import { eventually } from '../support/eventually.ts';
import { openHub, refusedUpgrade } from '../support/hub-client.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { letIn } from '../support/relay-fixture.ts';
import { type HubOptions, startHub } from '../support/signalr-fixture.ts';
import { clientFrame } from '../support/socketio-fixture.ts';

const denied = (code: DenialCode): Admission => ({ kind: 'denied', denial: { code, reason: 'no' } });
const admitting = (admission: Admission) => ({ admit: async () => admission });

type Negotiated = { readonly connectionId: string; readonly connectionToken?: string };

describe('signalr 13.1: the upgrade', () => {
  test.each(['/hub', '/hub/', '/alias', '/alias/?x=1'])(
    'is accepted on %s without a sub-protocol and an id',
    async (path) => {
      const { url } = await startHub({ paths: ['/hub', '/alias'] });
      const { socket } = await openHub(`${url}${path}`);
      expect([socket.protocol, socket.extensions]).toEqual(['', '']);
    },
  );

  test('keeps the query at hand', async () => {
    const { connect, endpoint, deliver } = await startHub();
    await connect('/hub?site=a%2Fb');
    expect(endpoint.connectionCount).toBe(1);
    expect(deliver({} as never, 'r')).toEqual({ queued: 0, dropped: 0 });
  });

  test.each(['/', '/hub/x', '/Hub', '/hub/negotiate'])('is 404 on %s', async (path) => {
    const { url } = await startHub();
    expect(await refusedUpgrade(`${url}${path}`)).toMatchObject({ status: 404 });
  });
});

describe('signalr 13.2, salto-ks 8.2: the token', () => {
  test('is where the hub says, in the header or in the query', async () => {
    const seen: string[][] = [];
    const { url } = await startHub(
      {},
      {
        admit: async (connection, presented) => {
          seen.push([...presented.read('header.authorization'), ...presented.read('query.access_token')]);
          return letIn(connection);
        },
      },
    );
    await openHub(`${url}/hub`, { headers: { authorization: 'Bearer h' } });
    await openHub(`${url}/hub?access_token=q`);
    expect(seen).toEqual([['Bearer h'], ['q']]);
  });
});

describe('signalr 13.3, salto-ks 8.3: who is not let in hears so before the upgrade', () => {
  const description = (text: string) => `Bearer error="invalid_token", error_description="${text}"`;

  test.each([
    ['token_missing', 401, 'Bearer'],
    ['token_expired', 401, description('The token has expired')],
    ['token_malformed', 401, description('The token is malformed')],
    ['token_signature_invalid', 401, description('The signature of the token is invalid')],
    ['token_audience_wrong', 401, description('The token is meant for another audience')],
    ['credentials_conflict', 401, description('The tokens contradict each other')],
    ['access_denied', 403, 'Bearer error="insufficient_scope", error_description="Access denied"'],
    ['room_denied', 403, expect.stringContaining('insufficient_scope')],
    ['query_invalid', 400, undefined],
  ] as const)('%s is %d', async (code, status, challenge) => {
    const { url, httpUrl, observer } = await startHub({}, admitting(denied(code)));
    const answer = await refusedUpgrade(`${url}/hub?access_token=secret`);
    expect(answer).toMatchObject({ status, body: '' });
    expect(answer.headers['www-authenticate']).toEqual(challenge);
    const negotiated = await fetch(`${httpUrl}/hub/negotiate?negotiateVersion=1`, { method: 'POST' });
    expect([negotiated.status, await negotiated.text()]).toEqual([status, '']);
    expect(negotiated.headers.get('www-authenticate')).toEqual(challenge ?? null);
    expect(observer.observations.filter(({ kind }) => kind.startsWith('connection'))).toEqual([]);
  });

  test.each([
    [1000, '1'],
    [4100, '5'],
    [0, '1'],
  ])('when there is no telling it is 503, and when to come back', async (retryAfterMs, seconds) => {
    const { url, httpUrl } = await startHub({}, admitting({ kind: 'try-later', retryAfterMs }));
    const answer = await refusedUpgrade(`${url}/hub`);
    expect([answer.status, answer.headers['retry-after'], answer.body]).toEqual([503, seconds, '']);
    const negotiated = await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST' });
    expect([negotiated.status, negotiated.headers.get('retry-after')]).toEqual([503, seconds]);
  });

  test('and so it is when somebody fails who must not', async () => {
    const { url } = await startHub({}, { admit: () => Promise.reject(new Error('broken')) });
    expect(await refusedUpgrade(`${url}/hub`)).toMatchObject({ status: 503 });
  });

  test('or when there are as many connections as may be', async () => {
    const { url, httpUrl } = await startHub({ connectionsMax: 1 });
    const { socket } = await openHub(`${url}/hub`);
    expect(await refusedUpgrade(`${url}/hub`)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect((await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST' })).status).toBe(503);
    socket.terminate();
    await eventually(() => openHub(`${url}/hub`));
  });

  test('those that are still decided about count', async () => {
    const { promise, resolve } = Promise.withResolvers<Admission>();
    const { url } = await startHub({ connectionsMax: 1 }, { admit: () => promise });
    const first = openHub(`${url}/hub`);
    await eventually(async () => expect(await refusedUpgrade(`${url}/hub`)).toMatchObject({ status: 503 }));
    resolve(letIn('c'));
    await first;
  });

  test('who goes while it is decided about leaves nothing behind', async () => {
    const signals: AbortSignal[] = [];
    const { promise, resolve } = Promise.withResolvers<Admission>();
    const hub = await startHub(
      { connectionsMax: 1 },
      {
        admit: async (connection, _, signal) => {
          signals.push(signal);
          return signals.length === 1 ? promise : letIn(connection);
        },
      },
    );
    const early = new WebSocket(`${hub.url}/hub`);
    early.on('error', () => undefined);
    await eventually(() => expect(signals).toHaveLength(1));
    early.terminate();
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
    resolve(letIn('c'));
    await eventually(() => hub.connect());
    expect(hub.endpoint.connectionCount).toBe(1);
  });
});

test('what comes before the upgrade is answered is not lost', async () => {
  const { promise, resolve } = Promise.withResolvers<Admission>();
  const { port } = await startHub({}, { admit: () => promise });
  await using early = await openRawConnection(port);
  early.send(
    'GET /hub HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  early.send(clientFrame('{"protocol":"json","version":1}\x1e'));
  await turn();
  resolve(letIn('c'));
  await early.receives(/ 101 .*\{\}/s);
});

describe('signalr 13.20, salto-ks 8.18: negotiate', () => {
  const post = (httpUrl: string, query = '?negotiateVersion=1', headers = {}) =>
    fetch(`${httpUrl}/hub/negotiate${query}`, { method: 'POST', headers });
  const negotiated = async (httpUrl: string, query?: string) =>
    (await (await post(httpUrl, query)).json()) as Negotiated;

  test('offers WebSockets alone, and what it gives is for one connection', async () => {
    const { httpUrl, url } = await startHub();
    const answer = await post(httpUrl, '?negotiateVersion=1&useStatefulReconnect=true');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const body = (await answer.json()) as Negotiated;
    expect(body).toEqual({
      negotiateVersion: 1,
      connectionId: expect.any(String),
      connectionToken: expect.any(String),
      availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
    });
    expect(body.connectionToken).not.toBe(body.connectionId);
    // What everybody may know is not what one comes back with.
    expect(await refusedUpgrade(`${url}/hub?id=${body.connectionId}`)).toMatchObject({ status: 404 });
    const first = await openHub(`${url}/hub?id=${body.connectionToken}`);
    expect(await refusedUpgrade(`${url}/hub?id=${body.connectionToken}`)).toMatchObject({ status: 409 });
    first.socket.terminate();
    await eventually(async () =>
      expect(await refusedUpgrade(`${url}/hub?id=${body.connectionToken}`)).toMatchObject({
        status: 404,
        body: 'No Connection with that ID',
      }),
    );
  });

  /** Lets everybody in, as who he says he is. */
  const asked: HubOptions['admit'] = async (connection, presented) => {
    const admitted = letIn(connection, ['r']);
    const [sub] = presented.read('query.sub');
    if (admitted.kind !== 'admitted' || sub === undefined) return admitted;
    const claims = { iss: 'i', sub };
    const credentials = [{ name: 't', claims, roles: [], permissions: [], variables: new Map() }];
    return { ...admitted, session: { ...admitted.session, principal: { credentials, variables: new Map() } } };
  };

  test('is for who has negotiated', async () => {
    const { httpUrl, url } = await startHub({}, { admit: asked });
    const { connectionToken: id } = await negotiated(httpUrl, '?negotiateVersion=1&sub=ann');
    for (const query of ['&sub=eve', '']) {
      expect(await refusedUpgrade(`${url}/hub?id=${id}${query}`)).toMatchObject({ status: 404 });
    }
    await openHub(`${url}/hub?id=${id}&sub=ann`);
    expect(await refusedUpgrade(`${url}/hub?id=${id}&sub=eve`)).toMatchObject({ status: 404 });
    expect(await refusedUpgrade(`${url}/hub?id=${id}&sub=ann`)).toMatchObject({ status: 409 });
  });

  test('of one caller waits as often as it may, and no other is in the way', async () => {
    const { httpUrl, url } = await startHub({ negotiationsPerCallerMax: 2 }, { admit: asked });
    const status = async (query: string) => (await post(httpUrl, `?negotiateVersion=1${query}`)).status;
    const { connectionToken: id } = await negotiated(httpUrl, '?negotiateVersion=1&sub=ann');
    expect([await status('&sub=ann'), await status('&sub=ann'), await status('&sub=eve')]).toEqual([200, 503, 200]);
    // Nobody in particular is many.
    expect([await status(''), await status(''), await status('')]).toEqual([200, 200, 200]);
    await openHub(`${url}/hub?id=${id}&sub=ann`);
    expect([await status('&sub=ann'), await status('&sub=ann')]).toEqual([200, 503]);
  });

  test('is not used up by an upgrade that is wrong itself', async () => {
    const { httpUrl, url, port } = await startHub();
    const { connectionToken: id } = await negotiated(httpUrl);
    await using wrong = await openRawConnection(port);
    const head = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    wrong.send(`GET /hub?id=${id} HTTP/1.1\r\n${head}Sec-WebSocket-Key: x\r\n\r\n`);
    expect(await wrong.closed).toMatch(/^HTTP\/1.1 400 /);
    await openHub(`${url}/hub?id=${id}`);
  });

  test('gives the id that the connection has', async () => {
    const { httpUrl, connect, observer } = await startHub();
    const { connectionId, connectionToken } = await negotiated(httpUrl);
    await connect(`/hub?id=${connectionToken}`);
    expect(observer.of('connection-admitted')).toMatchObject([{ connection: connectionId }]);
  });

  test.each(['', '?negotiateVersion=0', '?negotiateVersion='])(
    'signalr 13.21: in version 0 with "%s"',
    async (query) => {
      const { httpUrl, url } = await startHub();
      const body = await negotiated(httpUrl, query);
      expect(body).toMatchObject({ negotiateVersion: 0, connectionId: expect.any(String) });
      expect(body).not.toHaveProperty('connectionToken');
      await openHub(`${url}/hub?id=${body.connectionId}`);
    },
  );

  test.each([
    ['2', { negotiateVersion: 1 }],
    ['x', { negotiateVersion: 0, error: 'The client requested a non-integer protocol version.' }],
    ['1.5', { negotiateVersion: 0, error: 'The client requested a non-integer protocol version.' }],
    [
      '-1',
      {
        negotiateVersion: 0,
        error: "The client requested version '-1', but the server does not support this version.",
      },
    ],
  ])('with the version %s says %o', async (version, expected) => {
    const { httpUrl } = await startHub();
    expect(await negotiated(httpUrl, `?negotiateVersion=${version}`)).toMatchObject(expected);
  });

  test('what is not used within 15 s is gone, and there are so many at once', async () => {
    const { httpUrl, url, clock } = await startHub({ connectionsMax: 2 });
    const { connectionToken } = await negotiated(httpUrl);
    await negotiated(httpUrl);
    expect((await post(httpUrl)).status).toBe(503);
    clock.advance(15_000);
    expect((await post(httpUrl)).status).toBe(200);
    expect(await refusedUpgrade(`${url}/hub?id=${connectionToken}`)).toMatchObject({ status: 404 });
  });

  test('may be switched off', async () => {
    const { httpUrl } = await startHub({ negotiate: false });
    expect((await post(httpUrl)).status).toBe(404);
  });

  test.each(['GET', 'PUT', 'DELETE'])('signalr 13.21: %s is 405', async (method) => {
    const { httpUrl } = await startHub();
    const answer = await fetch(`${httpUrl}/hub/negotiate`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  });
});

describe('signalr 13.22: what is no upgrade', () => {
  test.each([
    ['GET', '/hub', 400, 'Connection ID required'],
    ['GET', '/hub?id=', 404, 'No Connection with that ID'],
    ['POST', '/hub', 400, 'Connection ID required'],
    ['GET', '/hub?id=nobody', 404, 'No Connection with that ID'],
    ['POST', '/hub?id=nobody', 404, 'No Connection with that ID'],
    ['DELETE', '/hub', 405, ''],
    ['GET', '/hub/other', 404, ''],
    ['POST', '/hub/negotiate/x', 404, ''],
  ])('%s %s is %d', async (method, path, status, body) => {
    const { httpUrl } = await startHub();
    const answer = await fetch(`${httpUrl}${path}`, { method });
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });

  test('with the id of a negotiated connection there is no other transport', async () => {
    const { httpUrl } = await startHub();
    const answer = await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST' });
    const { connectionId } = (await answer.json()) as Negotiated;
    expect((await fetch(`${httpUrl}/hub?id=${connectionId}`)).status).toBe(404);
    const posted = await fetch(`${httpUrl}/hub?id=${connectionId}`, { method: 'POST' });
    expect([posted.status, await posted.text()]).toEqual([
      405,
      'POST requests are not allowed for WebSocket connections.',
    ]);
  });
});

describe('signalr 13.23: pages of other origins', () => {
  const [good, bad] = ['https://good.example', 'https://bad.example'];
  const preflight = (httpUrl: string, origin: string) =>
    fetch(`${httpUrl}/hub/negotiate`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  const allowed = (answer: Response) => [
    answer.headers.get('access-control-allow-origin'),
    answer.headers.get('access-control-allow-credentials'),
  ];

  test('of the list may negotiate with credentials, and others may not', async () => {
    const { httpUrl } = await startHub({ corsOrigins: [good] });
    const answer = await preflight(httpUrl, good);
    expect([answer.status, ...allowed(answer)]).toEqual([204, good, 'true']);
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    for (const header of ['authorization', 'x-requested-with', 'x-signalr-user-agent', 'content-type']) {
      expect(answer.headers.get('access-control-allow-headers')).toContain(header);
    }
    expect(allowed(await preflight(httpUrl, bad))).toEqual([null, null]);
    const posted = await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST', headers: { origin: good } });
    expect([posted.status, ...allowed(posted)]).toEqual([200, good, 'true']);
    expect((await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST', headers: { origin: bad } })).status).toBe(403);
    expect((await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST' })).status).toBe(200);
  });

  test('see why they are refused', async () => {
    const { httpUrl } = await startHub({ corsOrigins: [good] }, admitting(denied('token_expired')));
    const answer = await fetch(`${httpUrl}/hub/negotiate`, { method: 'POST', headers: { origin: good } });
    expect([answer.status, ...allowed(answer)]).toEqual([401, good, 'true']);
  });

  test('of the list may connect, others get 403, and who is no page passes', async () => {
    const { url } = await startHub({ corsOrigins: [good] });
    await openHub(`${url}/hub`, { origin: good });
    await openHub(`${url}/hub`);
    expect(await refusedUpgrade(`${url}/hub`, { origin: bad })).toMatchObject({ status: 403, body: '' });
  });

  test('without a list any may connect, and none may negotiate', async () => {
    const { url, httpUrl } = await startHub();
    await openHub(`${url}/hub`, { origin: bad });
    expect(allowed(await preflight(httpUrl, bad))).toEqual([null, null]);
  });

  test('may be all', async () => {
    const { url, httpUrl } = await startHub({ corsOrigins: ['*'] });
    expect(allowed(await preflight(httpUrl, bad))).toEqual([bad, 'true']);
    await openHub(`${url}/hub`, { origin: bad });
  });
});

test('when the gateway closes nobody is let in any more', async () => {
  const { promise, resolve } = Promise.withResolvers<Admission>();
  const { url, endpoint } = await startHub({}, { admit: () => promise });
  const waiting = refusedUpgrade(`${url}/hub`);
  const closing = endpoint.close(AbortSignal.timeout(2000));
  resolve(letIn('c'));
  expect(await waiting).toMatchObject({ status: expect.toBeOneOf([503, 404]) });
  await closing;
  expect(await refusedUpgrade(`${url}/hub`)).toMatchObject({ status: 404 });
});
