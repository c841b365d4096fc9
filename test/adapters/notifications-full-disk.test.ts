import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { createSqliteNotifications } from '../../src/adapters/store/sqlite-notifications.ts';
import type { SqlBatch } from '../../src/adapters/store/sqlite-statement.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { createMatchNotifications } from '../../src/application/match-notifications.ts';
import type { NotificationStore } from '../../src/application/ports/notification-store.ts';
import { createRequestNotification } from '../../src/application/request-notification.ts';
import { parseEventTemplate } from '../../src/domain/event-template.ts';
import { anEvent } from '../support/event-fixture.ts';
import { recordingObserver } from '../support/recording-observer.ts';

const template = (text: string) => {
  const parsed = parseEventTemplate(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};
const rules = [
  { event: template('done'), user: template('ann'), anyOf: new Map([['task', template('{payload.task}')]]) },
];

/** From here on the file has no more pages than this: SQLite says the same as of a disk that is full. */
async function limitPages(store: Pick<NotificationStore, 'page'>, pages: number): Promise<void> {
  const post: (this: Worker, request: unknown) => void = Reflect.get(Worker.prototype, 'postMessage');
  using _spy = vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(function limited(
    this: Worker,
    request,
  ) {
    const { kind, batches } = request as { kind: string; batches: readonly SqlBatch[] };
    const limit = { sql: `PRAGMA max_page_count = ${pages}` };
    post.call(this, { kind, batches: batches.map((batch) => [...batch, limit]) });
  });
  await store.page(undefined, undefined, 1);
}

test('with a full disk no message is accepted and no request is answered for; with room again both are', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'edgeward-full-'));
  const store = createSqliteNotifications(join(folder.path, 'n.sqlite'), ['task']);
  await store.open();
  await using _store = { [Symbol.asyncDispose]: () => store.close() };
  const observer = recordingObserver();
  const ids = ['n1', 'n2', 'n3'];
  const request = createRequestNotification({
    store,
    rules,
    handlers: [{ name: 'webhook', concurrencyMax: 1, send: async () => {} }],
    waitingMax: 100,
    nextId: () => ids.shift() ?? '',
    clock: systemClock,
    observer,
  });
  const handler = createMatchNotifications({
    source: 'tasks',
    rules,
    handlers: ['webhook'],
    withoutPayload: [],
    payloadBytesMax: 1_000_000,
    store,
    clock: systemClock,
    observer,
    onMatched: () => {},
  });
  const wish = (task: string) => ({ event: 'done', handler: 'webhook', config: { task, text: 'x'.repeat(20_000) } });
  await request('ann', wish('t1'));
  const message = {
    event: anEvent({ payload: Buffer.from(JSON.stringify({ task: 't1', big: 'y'.repeat(100_000) })) }),
    attempt: 1,
  };
  await limitPages(store, 1);
  await expect(request('ann', wish('t2'))).rejects.toMatchObject({ code: 'store_disk_full', disposition: 'retry' });
  expect(await handler(message)).toMatchObject({ kind: 'retry' });
  expect(observer.of('notification-store-failed')).toHaveLength(1);
  expect(await store.page('ann', undefined, 9)).toMatchObject([{ state: 'waiting' }]);
  await limitPages(store, 1_000_000);
  expect(await handler(message)).toEqual({ kind: 'accept' });
  await request('ann', wish('t2'));
  expect((await store.page('ann', undefined, 9)).map(({ state }) => state)).toEqual(['matched', 'waiting']);
});
