import { CloudEvent, emitterFor, httpTransport, Mode } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/domain/event.ts';
import { post, publishingServer } from '../support/http-publishing.ts';

async function started() {
  const cloudEvents = { attributes: { tenantid: 'Tenant-Id' } };
  const server = await publishingServer({ cloudEvents });
  const events: Event[] = [];
  await server.source.start(async ({ event }) => {
    events.push(event);
    return { kind: 'accept' };
  });
  return Object.assign(server, { events });
}

const sent = new CloudEvent({
  id: 'e1',
  source: '/shop/1',
  type: 'orders.v1',
  subject: 'order.7',
  time: '2026-01-31T12:00:00.000Z',
  datacontenttype: 'application/json',
  tenantid: 'T1',
  data: { total: 12.5, name: 'Größe' },
});
const batchType = 'application/cloudevents-batch+json';

describe('the official client', () => {
  test.each([Mode.BINARY, Mode.STRUCTURED])('publishes in %s mode', async (mode) => {
    await using server = await started();
    await emitterFor(httpTransport(server.url), { mode })(sent);
    expect(server.events).toHaveLength(1);
    const [event] = server.events;
    expect(event).toMatchObject({ id: 'e1', stream: 'orders.v1', key: 'order.7' });
    expect(event?.publishedAt).toBe(Date.UTC(2026, 0, 31, 12));
    expect([...(event?.attributes ?? [])]).toEqual([['Tenant-Id', 'T1']]);
    expect(event?.contentType).toMatch(/^application\/json/);
    expect(JSON.parse(event?.jsonText() ?? '')).toEqual(sent.data);
  });
});

describe('by hand', () => {
  const structured = { specversion: '1.0', id: 'e1', source: '/a', type: 'orders.v1', data: 1 };

  test('a batch is routed in its order', async () => {
    await using server = await started();
    const batch = [structured, { ...structured, id: 'e2' }];
    const answer = await post(server.url, JSON.stringify(batch), { 'content-type': `${batchType}; charset=UTF-8` });
    expect(answer).toMatchObject({ status: 202, body: { events: [{ id: 'e1' }, { id: 'e2' }] } });
    expect(server.events.map(({ id }) => id)).toEqual(['e1', 'e2']);
  });

  test('a batch with a bad event is refused whole', async () => {
    await using server = await started();
    const batch = [structured, { ...structured, source: '' }];
    expect(await post(server.url, JSON.stringify(batch), { 'content-type': batchType })).toMatchObject({
      status: 400,
      body: { code: 'event_invalid', errors: [{ index: 1, path: '/source' }] },
    });
    expect(server.events).toHaveLength(0);
  });

  test('one is no batch, and a batch is not one', async () => {
    await using server = await started();
    const one = await post(server.url, JSON.stringify(structured), { 'content-type': batchType });
    expect(one).toMatchObject({ status: 400, body: { code: 'body_invalid' } });
    const many = await post(server.url, '[]', { 'content-type': 'application/cloudevents+json' });
    expect(many).toMatchObject({ status: 400, body: { code: 'body_invalid' } });
  });

  test('binary mode keeps the bytes, of any type and of none', async () => {
    await using server = await started();
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/a', 'ce-type': 'images.v1' };
    const body = Uint8Array.of(0xff, 0, 0xd8);
    expect((await post(server.url, body, { ...headers, 'content-type': 'image/jpeg' })).status).toBe(202);
    expect((await post(server.url, body, headers)).status).toBe(202);
    expect((await post(server.url, '', headers)).status).toBe(202);
    expect(server.events.map(({ payload, contentType }) => [[...payload], contentType])).toEqual([
      [[0xff, 0, 0xd8], 'image/jpeg'],
      [[0xff, 0, 0xd8], undefined],
      [[], undefined],
    ]);
  });

  test('binary mode with JSON takes it as it is, valid or not: a body fails no event', async () => {
    await using server = await started();
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/a', 'ce-type': 'a' };
    for (const body of ['{ "a":1.0,"a":2}', '{broken']) {
      expect((await post(server.url, body, { ...headers, 'content-type': 'application/json' })).status).toBe(202);
    }
    expect(server.events.map(({ payload }) => new TextDecoder().decode(payload))).toEqual([
      '{ "a":1.0,"a":2}',
      '{broken',
    ]);
  });

  test('a header that comes twice is refused, since readers differ in which counts', async () => {
    await using server = await started();
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/a', 'ce-type': 'a' };
    expect(await post(server.url, '1', { ...headers, 'ce-tenantid': ['T1', 'T2'] })).toMatchObject({
      status: 400,
      body: { code: 'event_invalid', errors: [{ index: 0, path: '/ce-tenantid' }] },
    });
    expect((await post(server.url, '1', { ...headers, 'ce-tenantid': 'T1, T2' })).status).toBe(202);
    expect(server.events[0]?.attributes.get('Tenant-Id')).toBe('T1, T2');
  });
});
