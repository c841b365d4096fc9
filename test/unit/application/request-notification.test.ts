import { expect, test } from 'vitest';
import { createMemoryNotifications } from '../../../src/adapters/store/memory-notifications.ts';
import { createRequestNotification } from '../../../src/application/request-notification.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

test('one more than may wait is stored, and whoever asked is told that the oldest is gone', async () => {
  const store = createMemoryNotifications();
  const observer = recordingObserver();
  const ids = ['n1', 'n2', 'n3'];
  const request = createRequestNotification({
    store,
    rules: [],
    handlers: [{ name: 'email', concurrencyMax: 1, send: async () => {} }],
    waitingMax: 2,
    nextId: () => ids.shift() ?? '',
    clock: new ManualClock(),
    observer,
  });
  const asked = [];
  for (const task of ['t1', 't2', 't3']) asked.push(await request('ann', { handler: 'email', config: { task } }));
  const oldest = expect.stringContaining('the oldest was forgotten');
  expect(asked.map(({ warnings }) => warnings.length)).toEqual([1, 1, 2]);
  expect(asked[2]?.warnings).toContainEqual(oldest);
  expect((await store.page('ann', undefined, 9)).map(({ id }) => id)).toEqual(['n2', 'n3']);
  const outcomes = observer.of('notification-requested').map(({ outcome }) => outcome);
  expect(outcomes).toEqual(['added', 'added', 'replaced']);
});
