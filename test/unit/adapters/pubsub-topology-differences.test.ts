import { describe, expect, test } from 'vitest';
import {
  creationDetail,
  creationOptions,
  creationPermission,
  topicToSubscribe,
} from '../../../src/adapters/inbound/pubsub/pubsub-topology-creation.ts';
import {
  differencesOf,
  type FoundSubscription,
} from '../../../src/adapters/inbound/pubsub/pubsub-topology-differences.ts';
import type { WantedSubscription } from '../../../src/adapters/inbound/pubsub/pubsub-topology-plan.ts';

const name = 'projects/p/subscriptions/sub';
const topic = 'projects/p/topics/orders';
const dead = 'projects/p/topics/dead';
const endpoint = 'https://edge.test/v1/push/pushed';
const account = 'pusher@p.iam.gserviceaccount.com';

const wantedWith = (needs: Partial<WantedSubscription> = {}): WantedSubscription => ({
  kind: 'subscription',
  name,
  topic,
  ...needs,
});

const push = {
  path: '/v1/push/pushed',
  audiences: [],
  authenticated: false,
  ackDeadlineSeconds: 20,
} as const;

const signed = { ...push, endpoint, account, audiences: ['one', 'two'], authenticated: true };

/** As Pub/Sub answers: everything is there, most of it empty. */
const foundWith = (found: FoundSubscription = {}): FoundSubscription => ({
  name,
  topic,
  pushConfig: { attributes: {}, pushEndpoint: '' },
  ackDeadlineSeconds: 10,
  retainAckedMessages: false,
  messageRetentionDuration: { seconds: '604800', nanos: 0 },
  enableMessageOrdering: false,
  expirationPolicy: { ttl: { seconds: '2678400', nanos: 0 } },
  filter: '',
  deadLetterPolicy: null,
  retryPolicy: null,
  detached: false,
  enableExactlyOnceDelivery: false,
  ...found,
});

const pushing = (config: object, found: FoundSubscription = {}): FoundSubscription =>
  foundWith({ ackDeadlineSeconds: 20, pushConfig: { attributes: {}, ...config }, ...found });

const deadLetter = { topic: dead, deliveriesMax: 5 };
const policy = { deadLetterTopic: dead, maxDeliveryAttempts: 5 };
const oidcToken = { serviceAccountEmail: account, audience: 'two' };

describe('what is as the config needs it', () => {
  test.each<[string, Partial<WantedSubscription>, FoundSubscription]>([
    ['just so', {}, foundWith()],
    [
      'what the config does not ask for',
      {},
      foundWith({ filter: 'x', enableMessageOrdering: true, deadLetterPolicy: policy }),
    ],
    ['its topic by the number of its project', {}, foundWith({ topic: 'projects/4711/topics/orders' })],
    ['ordering', { ordered: true }, foundWith({ enableMessageOrdering: true })],
    ['the policy', { deadLetter }, foundWith({ deadLetterPolicy: policy })],
    [
      'the policy, its topic by number',
      { deadLetter },
      foundWith({ deadLetterPolicy: { ...policy, deadLetterTopic: 'projects/4711/topics/dead' } }),
    ],
    ['never expiring', { neverExpires: true }, foundWith({ expirationPolicy: { ttl: null } })],
    ['never expiring, as the emulator says it', { neverExpires: true }, foundWith({ expirationPolicy: null })],
    ['pushing somewhere', { push }, pushing({ pushEndpoint: 'https://proxy/elsewhere?token=x' })],
    ['pushing there', { push: { ...push, endpoint } }, pushing({ pushEndpoint: endpoint })],
    ['pushing with a token for us', { push: signed }, pushing({ pushEndpoint: endpoint, oidcToken })],
    [
      'with one for its own URL',
      { push: { ...signed, audiences: [endpoint] } },
      pushing({ pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: account } }),
    ],
    ['with one for anybody', { push: { ...signed, audiences: [] } }, pushing({ pushEndpoint: endpoint, oidcToken })],
    ['a longer deadline', { push }, pushing({ pushEndpoint: endpoint }, { ackDeadlineSeconds: 600 })],
  ])('%s', (_what, needs, found) => {
    expect(differencesOf(wantedWith(needs), found)).toBeUndefined();
  });

  test('its topic, where the config names none', () => {
    expect(differencesOf({ kind: 'subscription', name }, foundWith())).toBeUndefined();
  });
});

describe('what differs, and what changes it', () => {
  const update = `gcloud pubsub subscriptions update ${name} `;
  const policyFlags = `--dead-letter-topic=${dead} --max-delivery-attempts=5`;
  const pushFlags = `--push-endpoint=${endpoint} --push-auth-service-account=${account} --push-auth-token-audience=one`;

  test.each<[string, Partial<WantedSubscription>, FoundSubscription, string]>([
    ['it has no dead letter policy', { deadLetter }, foundWith(), policyFlags],
    ['it has no dead letter policy', { deadLetter }, foundWith({ deadLetterPolicy: {} }), policyFlags],
    [
      `its dead letters go to projects/p/topics/other, not ${dead}`,
      { deadLetter },
      foundWith({ deadLetterPolicy: { ...policy, deadLetterTopic: 'projects/p/topics/other' } }),
      policyFlags,
    ],
    [
      'its dead letters are moved after 9 deliveries, not 5',
      { deadLetter },
      foundWith({ deadLetterPolicy: { ...policy, maxDeliveryAttempts: 9 } }),
      policyFlags,
    ],
    ['it is deleted after 31 days without a reader', { neverExpires: true }, foundWith(), '--expiration-period=never'],
    [
      'it pushes to https://host/x?***, and the source pulls',
      {},
      pushing({ pushEndpoint: 'https://host/x?token=hunter2' }),
      "--push-endpoint=''",
    ],
    [
      'it is pulled, and the source is pushed to',
      { push },
      foundWith({ ackDeadlineSeconds: 20 }),
      '--push-endpoint=https://HOST/v1/push/pushed',
    ],
    [
      `it pushes to https://old?***, not ${endpoint}`,
      { push: signed },
      pushing({ pushEndpoint: 'https://old?key=hunter2', oidcToken }),
      pushFlags,
    ],
    [
      'it pushes without a token, and the source asks for one',
      { push: { ...push, authenticated: true } },
      pushing({ pushEndpoint: endpoint, oidcToken: null }),
      '--push-endpoint=https://HOST/v1/push/pushed --push-auth-service-account=ACCOUNT',
    ],
    [
      `it pushes with tokens of nobody, not ${account}`,
      { push: signed },
      pushing({ pushEndpoint: endpoint }),
      pushFlags,
    ],
    [
      `it pushes with tokens of other@x, not ${account}`,
      { push: signed },
      pushing({ pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: 'other@x' } }),
      pushFlags,
    ],
    [
      `its tokens are for ${endpoint}, not one or two`,
      { push: signed },
      pushing({ pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: account } }),
      pushFlags,
    ],
    [
      'it unwraps what it pushes',
      { push },
      pushing({ pushEndpoint: endpoint, noWrapper: { writeMetadata: true } }),
      '--clear-push-no-wrapper-config',
    ],
    [
      'its acknowledgement deadline is 10 s, shorter than 20 s',
      { push },
      pushing({ pushEndpoint: endpoint }, { ackDeadlineSeconds: 10 }),
      '--ack-deadline=20',
    ],
  ])('%s', (what, needs, found, flags) => {
    expect(differencesOf(wantedWith(needs), found)).toEqual({ differences: [what], remedy: update + flags });
  });

  test('several at once are changed at once', () => {
    const wanted = wantedWith({ deadLetter, push: { ...push, endpoint } });
    expect(differencesOf(wanted, foundWith())).toEqual({
      differences: [
        'it has no dead letter policy',
        'it is pulled, and the source is pushed to',
        'its acknowledgement deadline is 10 s, shorter than 20 s',
      ],
      remedy: `${update}${policyFlags} --push-endpoint=${endpoint} --ack-deadline=20`,
    });
  });

  test.each<[string, Partial<WantedSubscription>, FoundSubscription]>([
    ['message ordering is not enabled', { ordered: true }, foundWith()],
    [`its topic is projects/p/topics/old, not ${topic}`, {}, foundWith({ topic: 'projects/p/topics/old' })],
    [
      `its topic is projects/p/topics/orders, not projects/q/topics/orders`,
      { topic: 'projects/q/topics/orders' },
      foundWith(),
    ],
    [`its topic is _deleted-topic_, not ${topic}`, {}, foundWith({ topic: '_deleted-topic_' })],
    ['it is detached from its topic', {}, foundWith({ detached: true, topic: '_deleted-topic_' })],
  ])('%s, which cannot be changed', (what, needs, found) => {
    const remedy =
      'correct the config; or make it again, since this cannot be changed, and lose the messages that it holds: ' +
      `gcloud pubsub subscriptions delete ${name}, then apply again`;
    expect(differencesOf(wantedWith(needs), found)).toEqual({ differences: [what], remedy });
    // Whatever else differs is made right with it.
    const both = differencesOf(wantedWith({ ...needs, deadLetter }), found);
    expect(both).toEqual({ differences: [what, 'it has no dead letter policy'], remedy });
  });
});

describe('what a subscription is made with', () => {
  test.each<[string, Partial<WantedSubscription>, object, string]>([
    ['nothing', {}, { enableMessageOrdering: false }, ''],
    ['ordering', { ordered: true }, { enableMessageOrdering: true }, ', with message ordering'],
    [
      'a policy',
      { deadLetter },
      { enableMessageOrdering: false, deadLetterPolicy: policy },
      `, dead letters to ${dead} after 5 deliveries`,
    ],
    ['no end', { neverExpires: true }, { enableMessageOrdering: false, expirationPolicy: {} }, ', never expiring'],
    [
      'an endpoint',
      { push: { ...push, endpoint } },
      { enableMessageOrdering: false, ackDeadlineSeconds: 20, pushConfig: { pushEndpoint: endpoint } },
      `, pushing to ${endpoint} with a deadline of 20 s`,
    ],
    [
      'an endpoint that asks for tokens',
      { push: signed },
      {
        enableMessageOrdering: false,
        ackDeadlineSeconds: 20,
        pushConfig: { pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: account, audience: 'one' } },
      },
      `, pushing to ${endpoint} with a deadline of 20 s`,
    ],
  ])('%s', (_what, needs, options, detail) => {
    expect(creationOptions(wantedWith(needs))).toEqual(options);
    expect(creationDetail(wantedWith(needs))).toBe(`of ${topic}${detail}, keeping messages as long as Pub/Sub has it`);
    expect(topicToSubscribe(wantedWith(needs))).toEqual({ ok: true, value: topic });
  });

  test.each<[Partial<WantedSubscription>, string]>([
    [{}, `pubsub.subscriptions.create, or pubsub.topics.attachSubscription on ${topic}`],
    [
      { push: signed },
      `pubsub.subscriptions.create, or pubsub.topics.attachSubscription on ${topic}, or iam.serviceAccounts.actAs on ${account}`,
    ],
  ])('with %j it takes a permission', (needs, permission) => {
    expect(creationPermission(wantedWith(needs))).toBe(permission);
  });

  test('how long messages are kept is what Pub/Sub says', () => {
    expect(creationDetail(wantedWith(), foundWith())).toMatch(/, keeping messages for 7 days \(as Pub\/Sub has it\)$/);
  });

  const create = `gcloud pubsub subscriptions create ${name} --topic=${topic} --ack-deadline=20`;
  test.each<[string, WantedSubscription, string, string]>([
    [
      'the topic is not known',
      { kind: 'subscription', name },
      'the config does not name its topic',
      'write TOPIC:sub in the config, and apply it again',
    ],
    [
      'the gateway is not known',
      wantedWith({ push }),
      'it is not known where Pub/Sub reaches the gateway (--push-url)',
      `${create} --push-endpoint=https://HOST/v1/push/pushed`,
    ],
    [
      'the account is not known',
      wantedWith({ ordered: true, deadLetter, push: { ...push, endpoint, authenticated: true, audiences: ['me'] } }),
      'it is not known whose tokens come with what is pushed (--push-account)',
      `${create} --enable-message-ordering --dead-letter-topic=${dead} --max-delivery-attempts=5 --push-endpoint=${endpoint} ` +
        '--push-auth-service-account=ACCOUNT --push-auth-token-audience=me',
    ],
  ])('nothing, where %s', (_what, wanted, reason, remedy) => {
    expect(topicToSubscribe(wanted)).toEqual({ ok: false, reason: { kind: 'missing', reason, remedy } });
  });
});
