import { once } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { startRelay } from '../support/relay-fixture.ts';
import { startHub } from '../support/signalr-fixture.ts';
import { connectedClient, startEndpoint, toRooms } from '../support/socketio-fixture.ts';

const largeText = 'Twelve tills and one door. '.repeat(400);
const eventWith = (id: number, text: string) =>
  eventOf({}, { id: String(id), payload: new TextEncoder().encode(JSON.stringify(text)) });
/** Small ones are not compressed, and must neither overtake nor fall back. */
const events = [largeText, 'small', largeText, 'small', 'small', largeText].map((text, id) => eventWith(id, text));

type Offer = ClientOptions['perMessageDeflate'];

/** A client that keeps its messages, and knows how many bytes came over the wire. */
async function openSocket(url: string, perMessageDeflate: Offer) {
  const socket = new WebSocket(url, { perMessageDeflate: perMessageDeflate ?? false });
  onTestFinished(() => socket.terminate());
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => void messages.push(data.toString()));
  await once(socket, 'open');
  const { _socket: tcp } = socket as WebSocket & { readonly _socket: TcpSocket };
  return { socket, messages, bytesRead: () => tcp.bytesRead };
}

const isLarge = (message: string) => message.includes(largeText);

/** What each endpoint needs until events are sent. */
const endpoints = {
  async socketio(perMessageDeflate: boolean, offer: Offer) {
    const { url, endpoint } = await startEndpoint({ perMessageDeflate });
    const client = await openSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, offer);
    client.socket.send('40{"rooms":"r"}');
    await eventually(() => expect(client.messages.some((message) => message.startsWith('40'))).toBe(true));
    return { client, deliver: () => events.map((event) => endpoint.deliver(event, toRooms('r'))) };
  },
  async relay(perMessageDeflate: boolean, offer: Offer) {
    const { url, endpoint, deliver } = await startRelay({ perMessageDeflate });
    const client = await openSocket(`${url}/subscribe?rooms=r`, offer);
    await eventually(() => expect(endpoint.connectionCount).toBe(1));
    return { client, deliver: () => events.map((event) => deliver(event, ['r'])) };
  },
  async signalr(perMessageDeflate: boolean, offer: Offer) {
    const { url, deliver } = await startHub({ perMessageDeflate });
    const client = await openSocket(`${url}/hub`, offer);
    client.socket.send('{"protocol":"json","version":1}\u001e');
    await eventually(() => expect(client.messages).toHaveLength(1));
    return { client, deliver: () => events.map((event) => deliver(event)) };
  },
};

describe.each(Object.entries(endpoints))('a %s endpoint', (_, start) => {
  async function received(perMessageDeflate: boolean, offer: Offer) {
    const { client, deliver } = await start(perMessageDeflate, offer);
    const before = { bytes: client.bytesRead(), messages: client.messages.length };
    expect(deliver()).toEqual(events.map(() => ({ queued: 1, dropped: 0 })));
    await eventually(() => expect(client.messages).toHaveLength(before.messages + events.length));
    const { extensions } = client.socket;
    return { texts: client.messages.slice(before.messages), bytes: client.bytesRead() - before.bytes, extensions };
  }

  test('compresses large messages for those who offer it, in their order', async () => {
    const { texts, bytes, extensions } = await received(true, true);
    expect([extensions, texts.map(isLarge)]).toEqual(['permessage-deflate', [true, false, true, false, false, true]]);
    expect(bytes).toBeLessThan(largeText.length);
  });

  test('compresses nothing unless it is told to, nor for those who do not offer it or want a small window', async () => {
    const small = { serverMaxWindowBits: 9 };
    const all = [await received(false, true), await received(true, false), await received(true, small)];
    expect(all.map(({ extensions }) => extensions)).toEqual(['', '', 'permessage-deflate']);
    for (const { texts, bytes } of all) {
      expect(texts.map(isLarge)).toEqual([true, false, true, false, false, true]);
      expect(bytes).toBeGreaterThan(3 * largeText.length);
    }
  });

  test('hears a client that compresses what it says', async () => {
    const { client } = await start(true, { threshold: 0 });
    expect(client.socket.extensions).toBe('permessage-deflate');
  });
});

test('the stock Socket.IO client reads what is compressed', async () => {
  const { url, endpoint } = await startEndpoint({ perMessageDeflate: true });
  const { received } = await connectedClient(url, ['r']);
  for (const event of events) endpoint.deliver(event, toRooms('r'));
  await eventually(() => expect(received).toHaveLength(events.length));
  const lengths = received.map(([, data]) => String(data).length);
  expect(lengths).toEqual([largeText.length, 5, largeText.length, 5, 5, largeText.length]);
});
