import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { connectRaw, refusalOf, stockSocket } from '../support/hiiretail-clients.ts';
import { type HiiretailGateway, startHiiretail } from '../support/hiiretail-gateway.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const topic = 'che.public.event.session-changed.v1';

describeWithPubSub('hiiretail: connecting', () => {
  let gateway: HiiretailGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics: [topic] });
    token = await gateway.issuers.ocms.mint({ tid: 't1' });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  function untilFinished(socket: Socket): Socket {
    onTestFinished(() => void socket.disconnect());
    return socket;
  }

  const connected = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });

  describe('the stock client', () => {
    test.each(['http', 'ws'])('8.1 is let in at %s://HOST and gets events', async (scheme) => {
      const address = gateway.url.replace('http', scheme);
      const socket = untilFinished(io(address, { transports: ['websocket'], auth: { token }, forceNew: true }));
      const received: unknown[] = [];
      socket.on(topic, (data) => received.push(data));
      await connected(socket);
      expect(socket.io.engine.transport.name).toBe('websocket');
      await gateway.publish({ topic, attributes: { 'Tenant-Id': 't1' }, data: `"over ${scheme}"` });
      await eventually(() => expect(received).toEqual([`over ${scheme}`]));
    });

    test('8.1 a namespace of another name is not there', async () => {
      const socket = untilFinished(stockSocket(`${gateway.url}/other`, { token }));
      await expect(connected(socket)).rejects.toMatchObject({ message: 'Invalid namespace' });
    });

    test('8.1 nor is another path', async () => {
      const options = { path: '/socket/', transports: ['websocket'], auth: { token }, forceNew: true };
      await expect(connected(untilFinished(io(gateway.url, options)))).rejects.toMatchObject({
        type: 'TransportError',
      });
    });

    test('8.2 does not get in by polling, which is how it begins with the "transport" of the page', async () => {
      const options = { transport: ['websocket'], auth: { token }, forceNew: true, reconnection: false };
      await expect(connected(untilFinished(io(gateway.url, options)))).rejects.toMatchObject({
        message: 'xhr poll error',
        type: 'TransportError',
        description: 400,
      });
    });
  });

  describe('polling', () => {
    test.each([
      ['GET', 'EIO=4&transport=polling'],
      ['GET', 'EIO=4&transport=polling&t=abc'],
      ['POST', 'EIO=4&transport=polling'],
      ['POST', 'EIO=4&transport=polling&sid=abc'],
    ])('8.2 %s ?%s is answered 400 and Transport unknown', async (method, query) => {
      const answer = await fetch(`${gateway.url}/socket.io/?${query}`, {
        method,
        ...(method === 'POST' ? { body: `40{"token":"${token}"}` } : {}),
      });
      expect({ status: answer.status, body: await answer.text() }).toEqual({
        status: 400,
        body: '{"code":0,"message":"Transport unknown"}',
      });
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    });

    test('8.2 upgrades are never offered', async () => {
      using client = await connectRaw(gateway.url, '', token);
      const [open = ''] = client.packets;
      expect(JSON.parse(open.slice(1))).toEqual({
        sid: expect.any(String),
        upgrades: [],
        pingInterval: 25_000,
        pingTimeout: 20_000,
        maxPayload: expect.any(Number),
      });
      expect(client.packets[1]).toBe(`40{"sid":"${client.id}"}`);
    });
  });

  const unsigned = (header: object, claims: object) =>
    `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

  describe('without a valid token', () => {
    test.each<readonly [what: string, presented: (good: string) => unknown, code: string]>([
      ['no auth at all', () => undefined, 'token_missing'],
      ['empty text', () => '', 'token_missing'],
      ['null', () => null, 'token_missing'],
      ['the text undefined', () => 'undefined', 'token_missing'],
      ['the text null', () => 'null', 'token_missing'],
      ['an object', (good) => ({ token: good }), 'token_missing'],
      ['a list', (good) => [good], 'token_missing'],
      ['true', () => true, 'token_missing'],
      ['a number', () => 12345, 'token_malformed'],
      ['garbage', () => 'garbage', 'token_malformed'],
      ['a scheme before it', (good) => `Bearer ${good}`, 'token_malformed'],
      ['a scheme in small letters before it', (good) => `bearer ${good}`, 'token_malformed'],
      ['a space before it', (good) => ` ${good}`, 'token_malformed'],
      ['a line break behind it', (good) => `${good}\n`, 'token_malformed'],
      ['two of them', (good) => `${good},${good}`, 'token_malformed'],
      ['quotes around it', (good) => `"${good}"`, 'token_malformed'],
      ['two parts of it', (good) => good.split('.').slice(0, 2).join('.'), 'token_malformed'],
      ['four parts', (good) => `${good}.x`, 'token_malformed'],
      ['no signature', (good) => `${good.slice(0, good.lastIndexOf('.'))}.`, 'token_signature_invalid'],
      ['another signature', (good) => `${good.slice(0, -20)}${'A'.repeat(20)}`, 'token_signature_invalid'],
      ['claims that are none', () => 'eyJhbGciOiJSUzI1NiJ9.WyJhIl0.c2ln', 'token_malformed'],
      ['a token of nobody', () => unsigned({ alg: 'none' }, {}), 'token_issuer_unknown'],
      ['16 KiB of letters', () => 'a'.repeat(16_500), 'token_malformed'],
    ])('8.3 %s: connect_error with a code, and nothing of the token', async (_what, presented, code) => {
      const refusal = await refusalOf(gateway.url, { token: presented(token) });
      expect(refusal.data).toEqual({ code });
      expect(JSON.stringify(refusal)).not.toContain(token.slice(-20));
    });

    test.each<readonly [place: string, options: (good: string) => object]>([
      ['the query', (good) => ({ query: { token: good } })],
      ['the query, as the person', (good) => ({ query: { userToken: good } })],
      ['an Authorization header', (good) => ({ extraHeaders: { authorization: `Bearer ${good}` } })],
      ['auth under another name', (good) => ({ auth: { userToken: good, Token: good, accessToken: good } })],
    ])('8.3 a token in %s is none', async (_place, options) => {
      const socket = untilFinished(io(gateway.url, { transports: ['websocket'], forceNew: true, ...options(token) }));
      await expect(connected(socket)).rejects.toMatchObject({ data: { code: 'token_missing' } });
    });

    test('8.3 the client does not come back by itself, and gets in with a good token', async () => {
      let presented = 'garbage';
      const socket = untilFinished(
        io(gateway.url, { transports: ['websocket'], auth: (answer) => answer({ token: presented }), forceNew: true }),
      );
      await expect(connected(socket)).rejects.toMatchObject({ data: { code: 'token_malformed' } });
      expect(socket.active).toBe(false);
      presented = token;
      socket.connect();
      await connected(socket);
    });
  });

  /** What a WebSocket client that is refused is answered. */
  async function upgradeAnswer(path: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
    const websocket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      websocket.once('unexpected-response', (_request, response) => resolve(response));
      websocket.once('open', () => reject(new Error('was let in')));
      websocket.once('error', reject);
    });
    return { status: answer.statusCode, body: await text(answer) };
  }

  describe('a plain WebSocket', () => {
    test.each([
      ['/socket.io/', 400, '{"code":0,"message":"Transport unknown"}'],
      ['/socket.io', 400, '{"code":0,"message":"Transport unknown"}'],
      ['/socket.io/?EIO=4&transport=polling', 400, '{"code":0,"message":"Transport unknown"}'],
      ['/socket.io/?transport=websocket', 400, '{"code":5,"message":"Unsupported protocol version"}'],
      ['/socket.io/?EIO=3&transport=websocket', 400, '{"code":5,"message":"Unsupported protocol version"}'],
    ])('8.23 without Engine.IO is refused at %s', async (path, status, body) => {
      expect(await upgradeAnswer(path)).toEqual({ status, body });
    });

    test.each(['/', '/subscribe', '/socket.iox/', '/metrics'])('8.23 finds nothing at %s', async (path) => {
      expect(await upgradeAnswer(path)).toMatchObject({ status: 404 });
    });

    test.each(['hello', '{"token":"x"}', '9', '42["x"]', '40'])(
      '8.23 that says %j where Engine.IO is spoken gets no event',
      async (words) => {
        const websocket = new WebSocket(`${gateway.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
        onTestFinished(() => websocket.terminate());
        const packets: string[] = [];
        websocket.on('message', (data: Buffer) => packets.push(data.toString()));
        const ended = new Promise((resolve) => websocket.once('close', resolve));
        websocket.once('open', () => websocket.send(words));
        if (words === '40') await eventually(() => expect(packets.at(-1)).toContain('token_missing'));
        else await ended;
        await gateway.publish({ topic, attributes: { 'Tenant-Id': 't1' }, data: '1' });
        await gateway.settled();
        expect(packets.filter((packet) => packet.startsWith('42'))).toEqual([]);
      },
    );
  });
});
