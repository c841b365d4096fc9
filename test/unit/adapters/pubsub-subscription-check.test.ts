import { expect, test } from 'vitest';
import { checkSubscription, type FoundSubscription } from '../../../src/adapters/inbound/pubsub/subscription-check.ts';

const found: FoundSubscription = {
  name: 'projects/shop-1/subscriptions/orders',
  topic: 'projects/shop-1/topics/orders.v1',
  enableMessageOrdering: true,
  deadLetterPolicy: { deadLetterTopic: 'projects/shop-1/topics/dead', maxDeliveryAttempts: 5 },
};
const settings = { project: 'shop-1', ordered: false };
const byPolicy = { ...settings, deadLetter: { topic: 'dead', by: 'policy', deliveriesMax: 5 } } as const;
const named = { id: 'orders', topic: { id: 'orders.v1' } };

test.each([
  ['its topic is looked up', found, { id: 'orders' }, settings, 'orders.v1'],
  ['its topic is named', found, named, settings, 'orders.v1'],
  [
    'its project is answered by number',
    { ...found, topic: 'projects/4711/topics/orders.v1' },
    named,
    settings,
    'orders.v1',
  ],
  [
    'its topic was deleted, and its messages are left',
    { ...found, topic: '_deleted-topic_' },
    named,
    settings,
    'orders.v1',
  ],
  ['it has order', found, named, { ...settings, ordered: true }, 'orders.v1'],
  ['it has a policy', found, named, byPolicy, 'orders.v1'],
  ['it pushes nowhere', { ...found, pushConfig: { pushEndpoint: '' } }, named, settings, 'orders.v1'],
])('a subscription fits: %s', (_, subscription, wanted, some, topic) => {
  expect(checkSubscription(subscription, wanted, some)).toEqual({ ok: true, value: topic });
});

test.each([
  ['is detached', { ...found, detached: true }, named, settings],
  ['pushes its messages', { ...found, pushConfig: { pushEndpoint: 'https://a.example' } }, named, settings],
  ['belongs to projects/shop-1/topics/orders.v1', found, { id: 'orders', topic: { id: 'orders.v2' } }, settings],
  [
    'belongs to projects/shop-1/topics/orders.v1',
    found,
    { id: 'orders', topic: { id: 'orders.v1', project: 'other' } },
    settings,
  ],
  ['belongs to a topic that was deleted', { ...found, topic: '_deleted-topic_' }, { id: 'orders' }, settings],
  ['has no message ordering', { ...found, enableMessageOrdering: false }, named, { ...settings, ordered: true }],
  ['has no dead letter policy', { ...found, deadLetterPolicy: null }, named, byPolicy],
  [
    'has a dead letter policy with projects/shop-1/topics/other',
    { ...found, deadLetterPolicy: { deadLetterTopic: 'projects/shop-1/topics/other', maxDeliveryAttempts: 5 } },
    named,
    byPolicy,
  ],
  [
    'has a dead letter policy of 4 deliveries',
    { ...found, deadLetterPolicy: { deadLetterTopic: 'projects/shop-1/topics/dead', maxDeliveryAttempts: 4 } },
    named,
    byPolicy,
  ],
])('a subscription does not fit: it %s', (reason, subscription, wanted, some) => {
  expect(checkSubscription(subscription, wanted, some)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});
