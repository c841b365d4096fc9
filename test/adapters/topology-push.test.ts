import { expect, inject, test } from 'vitest';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { apply, configFile, openProject, ownProject } from './topology-fixture.ts';

const emulator = inject('pubsubEmulatorHost');
const pushUrl = new URL('https://events.test/edge/');
const pushAccount = 'pusher@shop.iam.gserviceaccount.com';
const endpoint = 'https://events.test/edge/v1/push/pushed';

/** Google's tokens, for this audience. */
const identity = {
  tokens: {
    google: {
      issuers: ['https://accounts.google.com'],
      jwks: 'https://www.googleapis.com/oauth2/v3/certs',
      audiences: ['edgeward'],
    },
  },
};

async function given(credentials: readonly object[]) {
  const project = ownProject();
  const source = { project, emulator, subscriptions: ['orders.v1:edge'], leaseMsMax: 15_000, onDeadLetter: 'discard' };
  const permit = credentials.length === 0 ? {} : { credentials, require: "google.claims.email == 'pusher@shop'" };
  const more = credentials.length === 0 ? { development: true } : { identity };
  const file = configFile([{ name: 'pushed', pubsubPush: { ...source, ...permit } }], more);
  const view = await openProject(emulator, project);
  const made = async () => (await view.client.subscription('edge').getMetadata())[0];
  return {
    file,
    view,
    made,
    topic: `projects/${project}/topics/orders.v1`,
    name: `projects/${project}/subscriptions/edge`,
  };
}

const signed = [{ from: 'header.authorization', accepts: ['google'] }];

describeWithPubSub('topology apply for subscriptions that push', () => {
  test('asks for what the config does not say, and makes the topic', async () => {
    const { file, view, topic, name } = await given(signed);
    const flags = '--ack-deadline=15 --push-endpoint=https://HOST/v1/push/pushed --push-auth-service-account=ACCOUNT';
    expect(await apply(file)).toEqual({
      code: 7,
      lines: [
        `created topic ${topic}`,
        `missing subscription ${name}: it is not known where Pub/Sub reaches the gateway (--push-url)`,
        `  CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://${emulator}/ gcloud pubsub subscriptions create ${name} --topic=${topic} ${flags} --push-auth-token-audience=edgeward`,
        '1 created, 1 missing',
      ],
      stderr: '',
    });
    // Without a token the gateway would refuse everything.
    const { code, lines } = await apply(file, { pushUrl });
    expect({ code, line: lines[1] }).toEqual({ code: 7, line: expect.stringContaining('(--push-account)') });
    expect(await view.subscriptions()).toEqual([]);
  });

  test('makes them when it is told', async () => {
    const { file, made, topic } = await given(signed);
    const { code, lines } = await apply(file, { pushUrl, pushAccount });
    expect({ code, last: lines.at(-1) }).toEqual({ code: 0, last: '2 created' });
    expect(await made()).toMatchObject({
      topic,
      ackDeadlineSeconds: 15,
      pushConfig: { pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: pushAccount, audience: 'edgeward' } },
    });
    expect(await apply(file, { pushUrl, pushAccount })).toMatchObject({ code: 0 });
    // It is enough to say it once.
    expect((await apply(file)).lines.at(-1)).toBe('2 exist');
  });

  test('needs no account where nobody is asked for a token', async () => {
    const { file, made } = await given([]);
    expect(await apply(file, { pushUrl })).toMatchObject({ code: 0 });
    expect((await made()).pushConfig).toEqual({ attributes: {}, pushEndpoint: endpoint });
  });

  test('tells one that is pulled, in one command to put it right', async () => {
    const { file, view, name } = await given(signed);
    await view.topic('orders.v1');
    await view.subscription('edge', 'orders.v1');
    const { code, lines } = await apply(file, { pushUrl, pushAccount });
    const flags = `--push-endpoint=${endpoint} --push-auth-service-account=${pushAccount} --push-auth-token-audience=edgeward`;
    expect({ code, lines: lines.slice(1) }).toEqual({
      code: 7,
      lines: [
        `differs subscription ${name}: it is pulled, and the source is pushed to; its acknowledgement deadline is 10 s, shorter than 15 s`,
        `  CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://${emulator}/ gcloud pubsub subscriptions update ${name} ${flags} --ack-deadline=15`,
        '1 exists, 1 differs',
      ],
    });
  });
});
