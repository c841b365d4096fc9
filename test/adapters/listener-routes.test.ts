import { once } from 'node:events';
import { request } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import { describe, expect, test } from 'vitest';
import { livenessRoutes } from '../../src/adapters/operations/health-routes.ts';
import { startListener } from '../support/listener-fixture.ts';
import { rawExchange } from '../support/raw-connection.ts';

const things: FastifyPluginAsync = async (app) => {
  app.get('/things', async () => ({ things: [] }));
  app.post('/things', async () => ({ made: true }));
  app.get('/broken', async () => {
    throw new Error('cannot open /srv/secret-place with password=hunter2');
  });
};

describe('routes', () => {
  test('answers what is registered, without a word about the server', async () => {
    await using fixture = await startListener({}, undefined, [things]);
    const response = await fetch(`${fixture.address.url}/things`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ things: [] });
    expect([...response.headers.keys()].sort()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
    ]);
  });

  test('RFC 9457: an unknown path is a problem document', async () => {
    await using fixture = await startListener({}, undefined, [things]);
    const response = await fetch(`${fixture.address.url}/nothing?token=abc`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await response.json()).toEqual({ title: 'Not Found', status: 404 });
  });

  test('RFC 9110 15.5.6: another method is 405 and names those that are allowed', async () => {
    await using fixture = await startListener({}, undefined, [things]);
    const response = await fetch(`${fixture.address.url}/things?a=b`, { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    expect(await response.json()).toEqual({ title: 'Method Not Allowed', status: 405 });
  });

  test('a route that fails is 500 without its reason, which is observed', async () => {
    await using fixture = await startListener({}, undefined, [things]);
    const response = await fetch(`${fixture.address.url}/broken?token=abc`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ title: 'Internal Server Error', status: 500 });
    const [failure] = fixture.observer.of('request-failed');
    expect(failure).toMatchObject({ method: 'GET', route: '/broken', error: expect.any(Error) });
  });

  test.each([
    ['a body that is no JSON', { 'content-type': 'application/json' }, '{"a":', 400],
    ['a body that is too large', { 'content-type': 'application/json' }, JSON.stringify('x'.repeat(70_000)), 413],
    ['a media type that nobody reads', { 'content-type': 'text/csv' }, 'a,b', 415],
  ])('%s is refused by its status alone', async (_what, headers, body, status) => {
    await using fixture = await startListener({}, undefined, [things]);
    const response = await fetch(`${fixture.address.url}/things`, { method: 'POST', headers, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ title: expect.any(String), status });
    expect(fixture.observer.observations).toEqual([]);
  });

  test('a malformed path is 400', async () => {
    await using fixture = await startListener({}, undefined, [things]);
    const answer = await rawExchange(
      fixture.address.port,
      'GET /%zz?token=abc HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).not.toContain('abc');
  });

  test('a request target with an origin is the path of it', async () => {
    await using fixture = await startListener({}, (listener) => {
      listener.onRequest('/raw', (_request, response) => void response.end('raw'));
    });
    const answer = await rawExchange(
      fixture.address.port,
      'GET http://a/raw/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 .*raw$/s);
  });
});

describe('requests handed over', () => {
  test('the path, what is below it, and nothing else', async () => {
    await using fixture = await startListener({}, (listener) => {
      listener.onRequest('/socket.io/', ({ url }, response) => void response.end(url));
    });
    const ask = async (path: string) => {
      const response = await fetch(`${fixture.address.url}${path}`);
      return response.ok ? await response.text() : response.status;
    };
    expect(await ask('/socket.io')).toBe('/socket.io');
    expect(await ask('/socket.io/?EIO=4')).toBe('/socket.io/?EIO=4');
    expect(await ask('/socket.io/deeper/x')).toBe('/socket.io/deeper/x');
    expect(await ask('/socket.iox')).toBe(404);
    expect(await ask('/Socket.io/')).toBe(404);
  });

  test('until the handler is taken away', async () => {
    let take: () => void = () => undefined;
    await using fixture = await startListener({}, (listener) => {
      take = listener.onRequest('/raw', (_request, response) => void response.end());
    });
    expect((await fetch(`${fixture.address.url}/raw`)).status).toBe(200);
    take();
    expect((await fetch(`${fixture.address.url}/raw`)).status).toBe(404);
  });

  test('two endpoints cannot have one path', async () => {
    await using fixture = await startListener();
    fixture.listener.onRequest('/a/', () => undefined);
    expect(() => fixture.listener.onRequest('/a', () => undefined)).toThrow(
      expect.objectContaining({ code: 'path_taken', disposition: 'stop', message: expect.stringContaining('"/a"') }),
    );
  });

  test('a handler that throws loses its own connection only, and is observed', async () => {
    await using fixture = await startListener(
      {},
      (listener) => {
        listener.onRequest('/raw', () => {
          throw new Error('never should');
        });
      },
      [livenessRoutes],
    );
    await expect(fetch(`${fixture.address.url}/raw`)).rejects.toThrow();
    expect(fixture.observer.of('listener-fault')).toHaveLength(1);
    expect((await fetch(`${fixture.address.url}/healthz`)).status).toBe(200);
  });

  test('the body is left unread', async () => {
    await using fixture = await startListener({}, (listener) => {
      listener.onRequest('/raw', (incoming, response) => void incoming.pipe(response));
    });
    const outgoing = request(`${fixture.address.url}/raw`, { method: 'POST' });
    outgoing.end('{"not":');
    const [response] = await once(outgoing, 'response');
    expect(await response.setEncoding('utf8').toArray()).toEqual(['{"not":']);
  });
});
