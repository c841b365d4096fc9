import { describe, expect, test } from 'vitest';
import { socketioSettings } from '../../../src/adapters/outbound/socketio/socketio-settings.ts';

describe('the settings of a Socket.IO endpoint', () => {
  test('need nothing', () => {
    expect(socketioSettings.parse({})).toMatchObject({
      path: '/socket.io/',
      namespace: '/',
      eventName: '{stream}',
      meta: { names: 'camel-case', fields: { publishTime: '{publishedAt}', messageId: '{id}' } },
      allowPolling: false,
      corsOrigins: [],
      pingIntervalMs: 25_000,
      pingTimeoutMs: 20_000,
      sendQueueBytesMax: 1_048_576,
    });
  });

  test.each([
    ['an unknown key', { pth: '/x/' }, 'pth'],
    ['a path without its slash', { path: 'socket.io' }, 'path'],
    ['a path with a query', { path: '/socket.io/?a' }, 'path'],
    ['a namespace with a comma', { namespace: '/a,b' }, 'namespace'],
    ['an event name of an attribute', { eventName: '{Tenant-Id}' }, 'eventName'],
    ['an event name with half a reference', { eventName: '{stream' }, 'eventName'],
    ['an empty event name', { eventName: '' }, 'eventName'],
    ['a field of meta that is no reference', { meta: { fields: { a: 'b' } } }, 'meta.fields.a'],
    ['a field of meta that is two references', { meta: { fields: { a: '{id}{key}' } } }, 'meta.fields.a'],
    ['a kind of names that does not exist', { meta: { names: 'snake' } }, 'meta.names'],
    ['an origin with a path', { allowPolling: true, corsOrigins: ['https://a.example/x'] }, 'corsOrigins.0'],
    ['origins without polling', { corsOrigins: ['https://a.example'] }, 'corsOrigins'],
    ['a time to connect that is shorter than admission', { connectTimeoutMs: 3000 }, 'connectTimeoutMs'],
  ])('refuse %s', (_, settings, path) => {
    const result = socketioSettings.safeParse(settings);
    const [issue] = result.error?.issues ?? [];
    expect(issue?.path.join('.') || (issue as { keys?: string[] })?.keys?.join()).toBe(path);
  });

  test('take origins, or all of them, with polling', () => {
    const corsOrigins = ['*', 'https://a.example', 'http://localhost:3000'];
    expect(socketioSettings.parse({ allowPolling: true, corsOrigins }).corsOrigins).toEqual(corsOrigins);
  });
});
