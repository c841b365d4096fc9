import { describe, expect, test } from 'vitest';
import { pubsubPushSettings, pubsubSettings } from '../../../src/adapters/inbound/pubsub/pubsub-settings.ts';
import { planTopology, type TopologySource } from '../../../src/adapters/inbound/pubsub/pubsub-topology-plan.ts';

const emulator = '127.0.0.1:8085';
const discard = { onDeadLetter: 'discard' };

const pulled = (settings: object, name = 'pubsub'): TopologySource => ({
  name,
  kind: 'pubsub',
  settings: pubsubSettings.parse({ project: 'p', emulator, ...settings }),
});

const pushed = (settings: object, target: object = {}): TopologySource => ({
  name: 'pushed',
  kind: 'pubsubPush',
  settings: pubsubPushSettings.parse({ project: 'p', emulator, ...discard, ...settings }),
  target: { audiences: [], ...target },
});

const topic = (id: string, project = 'p') => ({ kind: 'topic', name: `projects/${project}/topics/${id}` });
const subscription = (id: string, of: string | undefined, needs: object = {}, project = 'p') => ({
  kind: 'subscription',
  name: `projects/${project}/subscriptions/${id}`,
  ...(of === undefined ? {} : { topic: `projects/${project}/topics/${of}` }),
  ...needs,
});
const credentials = [{ from: 'header.authorization', accepts: ['google'] }];

describe('what a source needs', () => {
  test.each([
    [
      'a topic and its subscription',
      { subscriptions: ['orders:sub'], ...discard },
      [topic('orders'), subscription('sub', 'orders')],
    ],
    ['a subscription alone', { subscriptions: ['sub'], ...discard }, [subscription('sub', undefined)]],
    [
      'each thing once, topics first',
      { subscriptions: ['orders:one', 'orders:two', 'prices:three'], ...discard },
      [
        topic('orders'),
        topic('prices'),
        subscription('one', 'orders'),
        subscription('two', 'orders'),
        subscription('three', 'prices'),
      ],
    ],
    [
      'names in full',
      { subscriptions: ['projects/other/topics/orders:projects/mine/subscriptions/sub'], ...discard },
      [
        topic('orders', 'other'),
        { kind: 'subscription', name: 'projects/mine/subscriptions/sub', topic: 'projects/other/topics/orders' },
      ],
    ],
    [
      'message ordering',
      { subscriptions: ['orders:sub'], ordered: true, ...discard },
      [topic('orders'), subscription('sub', 'orders', { ordered: true })],
    ],
    [
      'a topic for dead letters that Edgeward publishes',
      { subscriptions: ['orders:sub'], deadLetter: { topic: 'dead' } },
      [topic('orders'), topic('dead'), subscription('sub', 'orders')],
    ],
    [
      'what keeps them, before there can be any',
      { subscriptions: ['orders:sub'], deadLetter: { topic: 'dead', subscription: 'kept' } },
      [
        topic('orders'),
        topic('dead'),
        subscription('kept', 'dead', { neverExpires: true }),
        subscription('sub', 'orders'),
      ],
    ],
    [
      'a policy',
      { subscriptions: ['orders:sub'], deadLetter: { topic: 'dead', by: 'policy', deliveriesMax: 7 } },
      [
        topic('orders'),
        topic('dead'),
        subscription('sub', 'orders', { deadLetter: { topic: 'projects/p/topics/dead', deliveriesMax: 7 } }),
      ],
    ],
    [
      'no subscription where every instance makes its own',
      { subscriptions: ['orders:sub'], perInstance: true, ...discard },
      [topic('orders')],
    ],
  ])('%s', (_what, settings, wanted) => {
    expect(planTopology([pulled(settings)]).wanted).toEqual(wanted);
  });

  test('several sources share what they have in common, and keep what they disagree about', () => {
    const { wanted } = planTopology([
      pulled({ subscriptions: ['orders:sub'], deadLetter: { topic: 'dead' } }),
      pulled({ subscriptions: ['orders:sub', 'orders:more'], deadLetter: { topic: 'dead' } }, 'other'),
      pulled({ subscriptions: ['orders:more'], ordered: true, ...discard }, 'third'),
    ]);
    expect(wanted).toEqual([
      topic('orders'),
      topic('dead'),
      subscription('more', 'orders', { ordered: true }),
      subscription('sub', 'orders'),
      subscription('more', 'orders'),
    ]);
  });

  test.each([
    ['nothing known', { credentials }, {}, { authenticated: true, ackDeadlineSeconds: 10 }],
    [
      'everything known',
      { credentials, leaseMsMax: 30_001 },
      { url: 'https://events.example.com', account: 'a@p.iam.gserviceaccount.com', audiences: ['me'] },
      {
        endpoint: 'https://events.example.com/v1/push/pushed',
        account: 'a@p.iam.gserviceaccount.com',
        audiences: ['me'],
        authenticated: true,
        ackDeadlineSeconds: 31,
      },
    ],
    [
      'a proxy with a path, and nobody asked for a token',
      { leaseMsMax: 1000 },
      { url: 'https://proxy/edge/' },
      { endpoint: 'https://proxy/edge/v1/push/pushed', authenticated: false, ackDeadlineSeconds: 10 },
    ],
    [
      'a token that may be left out',
      { credentials: credentials.map((each) => ({ ...each, optional: true })) },
      {},
      { authenticated: false, ackDeadlineSeconds: 10 },
    ],
  ])('a subscription that pushes, with %s', (_what, settings, target, push) => {
    const { wanted } = planTopology([pushed({ subscriptions: ['orders:sub'], ...settings }, target)]);
    const expected = { path: '/v1/push/pushed', audiences: [], ...push };
    expect(wanted).toEqual([topic('orders'), subscription('sub', 'orders', { push: expected })]);
  });
});

describe('what else is to be known', () => {
  const policy = { topic: 'dead', by: 'policy', subscription: 'kept' };

  test('nothing, where everything is made', () => {
    const plan = planTopology([pulled({ subscriptions: ['orders:sub'], deadLetter: policy })]);
    expect(plan.notes).toEqual([]);
  });

  test('who makes the subscriptions of an instance', () => {
    const { notes } = planTopology([pulled({ subscriptions: ['orders:sub'], perInstance: true, ...discard }, 'each')]);
    expect(notes).toEqual(['Source "each" makes subscriptions of its own for every instance (perInstance).']);
  });

  test('that a topic keeps nothing by itself', () => {
    const { notes } = planTopology([pulled({ subscriptions: ['orders:sub'], deadLetter: { topic: 'dead' } })]);
    expect(notes).toEqual([
      expect.stringMatching(/unless something else subscribes to projects\/p\/topics\/dead, its/),
    ]);
  });

  test('the rights of the account that moves dead letters, which no emulator has', () => {
    const settings = { emulator: undefined, subscriptions: ['orders:sub'], deadLetter: policy };
    const { notes } = planTopology([pulled(settings)]);
    const member =
      '--member="serviceAccount:service-$(gcloud projects describe p --format=\'value(projectNumber)\')@gcp-sa-pubsub.iam.gserviceaccount.com"';
    expect(notes).toEqual([
      'Pub/Sub moves dead letters of projects/p/subscriptions/sub only when its own service account may do so:\n' +
        `  gcloud pubsub topics add-iam-policy-binding projects/p/topics/dead --role=roles/pubsub.publisher ${member}\n` +
        `  gcloud pubsub subscriptions add-iam-policy-binding projects/p/subscriptions/sub --role=roles/pubsub.subscriber ${member}`,
    ]);
  });
});
