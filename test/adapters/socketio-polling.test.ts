import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import {
  admitted,
  connectError,
  connectedClient,
  type StockClient,
  startEndpoint,
  stockClient,
  toRooms,
} from '../support/socketio-fixture.ts';

const eventNumber = (id: number, size = 0) =>
  eventOf({}, { id: String(id), payload: new TextEncoder().encode(JSON.stringify('x'.repeat(size))) });
const idsOf = ({ received }: StockClient) => received.map(([, , meta]) => Number(meta['messageId']));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const polling = { transports: ['polling'] };
const stock = { transports: ['polling', 'websocket'] };

describe('a client that begins with polling, where that is allowed', () => {
  test('connects without `transports`, goes on to WebSocket, and loses, doubles or reorders nothing on the way', async () => {
    for (const _ of upTo(5)) {
      const { url, endpoint } = await startEndpoint({ allowPolling: true });
      const client = stockClient(url, { ...stock, auth: { rooms: 'a' } });
      const sent = { polling: 0, websocket: 0 };
      let id = 0;
      while (sent.websocket < 200) {
        const { queued } = endpoint.deliver(eventNumber(id, id % 300), toRooms('a'));
        id += queued;
        sent[client.socket.io.engine?.transport.name === 'websocket' ? 'websocket' : 'polling'] += queued;
        if (id % 3 === 0) await turn();
      }
      expect(sent.polling).toBeGreaterThan(0);
      await eventually(() => expect(idsOf(client)).toEqual(upTo(id)));
    }
  });

  test('gets its events by polling as long as it polls', async () => {
    const settings = { allowPolling: true, sendQueueBytesMax: 100_000_000 };
    const { url, endpoint, budget } = await startEndpoint(settings);
    const client = await connectedClient(url, ['a'], polling);
    for (const id of upTo(300)) {
      endpoint.deliver(eventNumber(id, id * 300), toRooms('a'));
      if (id % 5 === 0) await turn();
    }
    await eventually(() => expect(idsOf(client)).toEqual(upTo(300)));
    expect(budget.bytes).toBe(0);
  });

  test('presents its query and headers, and learns why it is refused', async () => {
    const { url } = await startEndpoint({ allowPolling: true }, async (_, presented) => {
      const [topics, own] = ['query.topics', 'header.x-own'].map((place) => presented.read(place).join());
      return topics === 'a,b' && own === 'o'
        ? { kind: 'denied', denial: { code: 'room_denied', reason: 'r' } }
        : admitted([]);
    });
    const client = stockClient(url, { ...stock, query: { topics: ['a', 'b'] }, extraHeaders: { 'X-Own': 'o' } });
    expect(await connectError(client)).toMatchObject({ data: { code: 'room_denied' } });
  });

  test('is told to come back when it does not go on to WebSocket in time', async () => {
    const { url, endpoint, clock, observer } = await startEndpoint({ allowPolling: true, pollingMsMax: 5000 });
    const stays = await connectedClient(url, ['a'], polling);
    const upgrades = await connectedClient(url, ['a'], stock);
    await eventually(() => expect(upgrades.socket.io.engine.transport.name).toBe('websocket'));
    // What comes now has come by WebSocket, so the gateway knows of the upgrade too.
    endpoint.deliver(eventNumber(1), toRooms('a'));
    await eventually(() => expect(idsOf(upgrades)).toEqual([1]));
    const { id } = stays.socket;
    const gone = new Promise((resolve) => stays.socket.once('disconnect', resolve));
    clock.advance(5000);
    expect(endpoint.connectionCount).toBe(1);
    await gone;
    expect(observer.of('connection-closed')).toMatchObject([{ connection: id, cause: 'polling_too_long' }]);
    await eventually(() => expect(stays.socket.connected).toBe(true));
    expect(upgrades.socket.connected).toBe(true);
  });

  test('is not waited for once it has gone', async () => {
    const { url, endpoint, clock } = await startEndpoint({ allowPolling: true });
    const { socket } = await connectedClient(url, ['a'], polling);
    expect(clock.pending).toBe(1);
    socket.disconnect();
    await eventually(() => expect([endpoint.connectionCount, clock.pending]).toEqual([0, 0]));
  });

  test('and does not poll is cut at the limit, and what it was owed is counted', async () => {
    const { url, endpoint, observer, budget } = await startEndpoint({ allowPolling: true, sendQueueBytesMax: 10_000 });
    const open = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    const session = `${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    await fetch(session, { method: 'POST', body: '40{"rooms":"a"}' });
    expect(await (await fetch(session)).text()).toMatch(/^40/);
    for (const id of upTo(4)) {
      endpoint.deliver(eventNumber(id, 2000), toRooms('a'));
      await turn();
    }
    expect(budget.bytes).toBeGreaterThan(8000);
    endpoint.deliver(eventNumber(4, 2000), toRooms('a'));
    expect([observer.of('connection-cut').length, budget.bytes, endpoint.connectionCount]).toEqual([1, 0, 0]);
    expect((await fetch(session)).status).toBe(400);
  });

  test('is flushed when the gateway closes, and comes back', async () => {
    const { url, endpoint, start } = await startEndpoint({ allowPolling: true });
    const client = await connectedClient(url, ['a'], polling);
    for (const id of upTo(50)) endpoint.deliver(eventNumber(id, 1000), toRooms('a'));
    expect(await endpoint.close(new AbortController().signal)).toEqual({ flushed: 1, cut: 0 });
    await eventually(() => expect(idsOf(client)).toEqual(upTo(50)));
    const next = await start('next', { allowPolling: true });
    await eventually(() => expect(next.connectionCount).toBe(1));
  });

  test('may not send more than a frame', async () => {
    const { url } = await startEndpoint({ allowPolling: true });
    const open = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    const body = `40{"token":"${'x'.repeat(2_000_000)}"}`;
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: 'POST', body });
    expect(answer.status).toBe(413);
  });

  test('comes from the origins of the config only, as far as a browser asks', async () => {
    const { url } = await startEndpoint({ allowPolling: true, corsOrigins: ['https://till.example'] });
    const allowed = async (Origin: string) => {
      const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { Origin } });
      return answer.headers.get('access-control-allow-origin');
    };
    expect(await allowed('https://till.example')).toBe('https://till.example');
    expect(await allowed('https://other.example')).toBeNull();
  });

  test('of Engine.IO 3 is refused', async () => {
    const { url } = await startEndpoint({ allowPolling: true });
    const answer = await fetch(`${url}/socket.io/?EIO=3&transport=polling`);
    expect([answer.status, await answer.text()]).toEqual([400, '{"code":5,"message":"Unsupported protocol version"}']);
  });
});
