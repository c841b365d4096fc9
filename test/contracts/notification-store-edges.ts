import { expect } from 'vitest';
import {
  addAll,
  allOf,
  at,
  fired,
  occurrence,
  type StoreClause,
  trigger,
  wish,
} from './notification-store-contract.ts';

/** Further promises: of times, of handlers that are gone, of payloads. */
export const edgeClauses: readonly StoreClause[] = [
  {
    id: 'N13',
    promise: 'a time between two milliseconds is the later of them',
    async run({ store }) {
      const again = wish();
      await fired(store, again);
      await store.begin('email', at, 1);
      await store.finish(again.id, { kind: 'retry', failure: 'f', nextTryAt: at + 50.25 }, at);
      expect(await store.backlog('email')).toEqual({ count: 1, nextTryAt: at + 51 });
      expect(await store.begin('email', at + 50, 1)).toEqual([]);
      expect(await store.begin('email', at + 51, 1)).toMatchObject([{ id: again.id, attempts: 2 }]);
    },
  },
  {
    id: 'N14',
    promise: 'what has fired and has a handler that there is none of any more is counted',
    async run({ store }) {
      await fired(store, wish(), wish({ handler: 'webhook' }), wish({ handler: 'webhook' }));
      await addAll(store, wish({ handler: 'pigeon' }));
      expect(await store.orphans(['email'])).toBe(2);
      expect(await store.orphans(['email', 'webhook'])).toBe(0);
    },
  },
  {
    id: 'N15',
    promise: 'the payload of what has fired is kept for those who have a use for it',
    async run({ store }) {
      const [mail, hook] = [wish({ config: { task: 't' } }), wish({ config: { task: 't' }, handler: 'webhook' })];
      await addAll(store, mail, hook);
      expect(await store.match([occurrence({ task: 't' })], ['email', 'webhook'], trigger, at, ['email'])).toBe(2);
      const { payload: _, ...short } = trigger;
      expect((await allOf(store)).map((each) => each.trigger)).toEqual([short, trigger]);
    },
  },
];
