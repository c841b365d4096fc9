import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { rawClient } from '../support/socketio-fixture.ts';
import { connectedSpacesClient, spacesClient } from '../support/spaces-clients.ts';
import { startSpacesEndpoint } from '../support/spaces-endpoint-fixture.ts';

describe('a client of Engine.IO 3', () => {
  test('that is let in nowhere is ended in time; one that is stays', async () => {
    const { url, clock } = await startSpacesEndpoint();
    const idle = await rawClient(url, 'EIO=3&transport=websocket');
    await idle.receives(/^40$/);
    const refused = await rawClient(url, 'EIO=3&transport=websocket');
    refused.send('40/chat?token=bad');
    await refused.receives(/^44\/chat,"/);
    const admitted = await rawClient(url, 'EIO=3&transport=websocket&token=ann');
    admitted.send('40/chat');
    await admitted.receives(/^40\/chat$/);
    clock.advance(10_000);
    expect([await idle.closed, await refused.closed]).toEqual([1006, 1006]);
    admitted.send('2');
    await admitted.receives(/^3$/);
  });

  test('that is refused when its time is over is ended then, behind the answer', async () => {
    const { url, clock, late } = await startSpacesEndpoint();
    const client = await rawClient(url, 'EIO=3&transport=websocket&token=late');
    client.send('40/chat');
    await client.receives(/^40$/);
    client.send('2');
    await client.receives(/^3$/);
    clock.advance(10_000);
    late.resolve();
    await client.receives(/^44\/chat,"/);
    expect(await client.closed).toBe(1006);
  });

  test('is told to come back when the gateway closes, wherever it is, and comes back', async () => {
    const { url, endpoint } = await startSpacesEndpoint();
    const bare = await rawClient(url, 'EIO=3&transport=websocket');
    await bare.receives(/^40$/);
    const client = await connectedSpacesClient(url, { query: { token: 'ann' } });
    await client.subscribe('s');
    const { flushed, cut } = await endpoint.close(AbortSignal.timeout(1000));
    expect({ flushed, cut }).toEqual({ flushed: 1, cut: 0 });
    await bare.closed;
    // Not `io server disconnect`, after which it would stay away.
    await eventually(() => expect(client.of('disconnect')).toEqual([expect.stringMatching(/^transport/)]));
    expect(client.of('PRESENCE_EVENT_RESPONSE')).toEqual([]);
  });

  test('is asked about once: what it says of itself twice is a mistake, a namespace that is not there is told', async () => {
    const { url, asked } = await startSpacesEndpoint();
    const client = await rawClient(url, 'EIO=3&transport=websocket&token=ann');
    client.send('40/nope?token=x');
    await client.receives(/^44\/nope,/);
    client.send('40/chat');
    await client.receives(/^40\/chat$/);
    client.send('40/chat');
    await client.closed;
    expect(asked).toEqual(['ann']);
  });

  test('keeps no id of a session in what is observed', async () => {
    const { url, observer } = await startSpacesEndpoint();
    const client = await rawClient(url, 'EIO=3&transport=websocket&token=ann');
    client.send('40/chat');
    await client.receives(/^40\/chat$/);
    const { sid } = JSON.parse((client.messages[0] ?? '').slice(1)) as { sid: string };
    expect(observer.of('connection-admitted')).toHaveLength(1);
    expect(JSON.stringify(observer.observations)).not.toContain(sid);
  });

  test('that does not read is cut, and the others go on', async () => {
    const { url, observer } = await startSpacesEndpoint({ sendQueueBytesMax: 300_000, eventsPerSecondMax: 10_000 });
    const deaf = await rawClient(url, 'EIO=3&transport=websocket&token=deaf');
    deaf.send('40/chat');
    await deaf.receives(/^40\/chat$/);
    deaf.send('42/chat,["SUBSCRIBE_CHANNEL",{"channel":{"type":"topic","_id":"s"}}]');
    await deaf.receives(/CHANNEL_SUBSCRIBED/);
    deaf.websocket.pause();
    const talker = await connectedSpacesClient(url, { query: { token: 'talker' } });
    await talker.subscribe('s');
    const text = 'x'.repeat(50_000);
    await eventually(() => {
      talker.say('s', text);
      expect(observer.of('connection-cut')).toHaveLength(1);
    });
    await eventually(() => expect(talker.of('PRESENCE_EVENT_RESPONSE')).toHaveLength(1));
    expect(talker.socket.connected).toBe(true);
  });

  test.each(['EIO=2&', '', 'EIO=x&'])('polls with a version that is known: not with "%s"', async (version) => {
    const { url } = await startSpacesEndpoint({ allowPolling: true });
    const answer = await fetch(`${url}/socket.io/?${version}transport=polling`);
    expect([answer.status, await answer.json()]).toEqual([400, { code: 5, message: 'Unsupported protocol version' }]);
  });

  test('is let in by polling where that is allowed, and refused cleanly where it is not', async () => {
    const polling = await startSpacesEndpoint({ allowPolling: true });
    const client = await connectedSpacesClient(polling.url, { query: { token: 'ann' }, transports: ['polling'] });
    await client.subscribe('s');
    client.say('s', 'by polling');
    await eventually(() => expect(client.texts('s')).toEqual(['by polling']));
    const strict = await startSpacesEndpoint();
    const refused = spacesClient(strict.url, { query: { token: 'ann' }, transports: ['polling'] });
    await eventually(() => expect(refused.of('connect_error').length).toBeGreaterThan(0));
  });
});
