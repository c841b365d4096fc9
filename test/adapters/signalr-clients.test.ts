import { HubConnectionState } from '@microsoft/signalr';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { letIn } from '../support/relay-fixture.ts';
import { receivedBy, signalrClient } from '../support/signalr-client.ts';
import { payloadOf, startHub } from '../support/signalr-fixture.ts';

const ways = [
  ['json', false],
  ['json', true],
  ['messagepack', false],
  ['messagepack', true],
] as const;

describe.each(ways)(
  'signalr 13.8, 13.20, 13.24: the official client with %s, negotiation %s',
  (protocol, negotiate) => {
    test('is called with the payload’s own text, in order', async () => {
      const { httpUrl, deliver } = await startHub();
      const client = signalrClient(`${httpUrl}/hub`, { protocol, negotiate });
      const received = receivedBy(client);
      await client.start();
      const texts = ['{"id": 1}', '{ "ä\\u001e" : [1.0, 2e3] }', '"\u2028"', 'x'.repeat(70_000)];
      for (const text of texts) expect(deliver(payloadOf(text))).toEqual({ queued: 1, dropped: 0 });
      await eventually(() => expect(received).toEqual(texts));
      expect(client.connectionId === null).toBe(!negotiate);
    });

    test('or with what it means, where the hub says so', async () => {
      const { httpUrl, deliver } = await startHub({ argument: 'json', method: 'Told' });
      const client = signalrClient(`${httpUrl}/hub`, { protocol, negotiate });
      const received = receivedBy(client, 'told');
      await client.start();
      deliver(payloadOf('{"a":[1,null,{"b":"ä"}]}'));
      deliver(payloadOf(Buffer.from([0xff, 0xfe])));
      await eventually(() => expect(received).toEqual([{ a: [1, null, { b: 'ä' }] }, '//4=']));
    });

    test('hears of a method that is not there, and stays', async () => {
      const { httpUrl, deliver } = await startHub();
      const client = signalrClient(`${httpUrl}/hub`, { protocol, negotiate });
      const received = receivedBy(client);
      await client.start();
      await expect(client.invoke('X', 1)).rejects.toThrow("Unknown hub method 'X'");
      await client.send('Y');
      const failed = Promise.withResolvers<Error>();
      client.stream('Z').subscribe({ next: () => {}, complete: () => {}, error: failed.resolve });
      expect(await failed.promise).toMatchObject({ message: "Unknown hub method 'Z'" });
      deliver(payloadOf('1'));
      await eventually(() => expect(received).toEqual(['1']));
    });

    test('subscribes, unsubscribes and streams, where the hub lets it', async () => {
      const { httpUrl, deliver } = await startHub({ subscriptions: true, streaming: true });
      const client = signalrClient(`${httpUrl}/hub?site=a`, { protocol, negotiate });
      const received = receivedBy(client);
      await client.start();
      await client.invoke('Subscribe', 'b');
      await client.invoke('subscribe', { site: 'c' });
      deliver(payloadOf('1'), 'a', 'b');
      deliver(payloadOf('2'), 'b');
      deliver(payloadOf('3'), 'c');
      await client.invoke('Unsubscribe', 'b');
      deliver(payloadOf('4'), 'b');
      await expect(client.invoke('Unsubscribe', 'b')).rejects.toThrow('not_subscribed');
      await eventually(() => expect(received).toEqual(['1', '2', '3']));

      const [items, others]: [unknown[], unknown[]] = [[], []];
      const observer = (seen: unknown[]) => ({
        next: (item: unknown) => seen.push(item),
        complete: () => {},
        error: () => {},
      });
      const stream = client.stream('Stream').subscribe(observer(items));
      const other = client.stream('Stream').subscribe(observer(others));
      await client.invoke('Subscribe', 'd');
      deliver(payloadOf('5'), 'd');
      await eventually(() => expect([items, others]).toEqual([['5'], ['5']]));
      stream.dispose();
      other.dispose();
      await client.invoke('Subscribe', 'd');
      deliver(payloadOf('6'), 'a');
      await eventually(() => expect(received).toEqual(['1', '2', '3', '6']));
      expect(items).toEqual(['5']);
    });
  },
);

describe('the official client comes back by itself', () => {
  test('signalr 13.18: when the gateway closes', async () => {
    const { httpUrl, endpoint, deliver } = await startHub();
    const client = signalrClient(`${httpUrl}/hub`, { reconnect: [0] });
    const received = receivedBy(client);
    let reconnecting = 0;
    client.onreconnecting(() => {
      reconnecting += 1;
    });
    await client.start();
    for (let count = 0; count < 50; count += 1) deliver(payloadOf(String(count)));
    expect(await endpoint.close(AbortSignal.timeout(5000))).toEqual({ flushed: 1, cut: 0 });
    await eventually(() => expect(reconnecting).toBe(1));
    expect(received).toHaveLength(50);
  });

  test('signalr 13.11: when it was silent for too long', async () => {
    const { httpUrl, clock, endpoint, observer } = await startHub();
    const client = signalrClient(`${httpUrl}/hub`, { reconnect: [0, 0] });
    await client.start();
    // It pings once it has started.
    await eventually(() => {
      if (observer.of('connection-closed').length === 0) clock.advance(30_000);
      expect(observer.of('connection-closed')).toMatchObject([{ cause: 'client_timeout' }]);
    });
    await eventually(() => expect(observer.of('connection-admitted')).toHaveLength(2));
    await eventually(() => expect(client.state).toBe(HubConnectionState.Connected));
    expect(endpoint.connectionCount).toBe(1);
  });

  test('salto-ks 8.14, 8.20: when its token ends, where the config says so, with a new one', async () => {
    const tokens: (readonly string[])[] = [];
    const { httpUrl, clock, observer } = await startHub(
      {},
      {
        admit: async (connection, presented) => {
          tokens.push(presented.read('header.authorization'));
          return letIn(connection, ['r'], clock.now() + 5000);
        },
      },
    );
    let issued = 0;
    const accessTokenFactory = () => {
      issued += 1;
      return `token-${issued}`;
    };
    const client = signalrClient(`${httpUrl}/hub`, { reconnect: [0, 0], accessTokenFactory });
    await client.start();
    const back = new Promise<void>((resolve) => client.onreconnected(() => resolve()));
    clock.advance(5000);
    await back;
    expect(tokens).toEqual([['Bearer token-1'], ['Bearer token-2']]);
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'token_expired' }]);
  });
});
