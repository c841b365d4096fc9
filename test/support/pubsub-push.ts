import {
  createPubSubPushSource,
  type PubSubPushDependencies,
  type PubSubPushSource,
} from '../../src/adapters/inbound/pubsub/pubsub-push-source.ts';
import { pubsubPushSettings } from '../../src/adapters/inbound/pubsub/pubsub-settings.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { type Answer, post } from './http-publishing.ts';
import { startListener } from './listener-fixture.ts';
import { recordingObserver } from './recording-observer.ts';

export type PushServer = AsyncDisposable & {
  readonly source: PubSubPushSource;
  readonly port: number;
  readonly url: string;
  readonly observer: ReturnType<typeof recordingObserver>;
};

export const pushProject = 'edgeward-test';
export const pushSubscription = `projects/${pushProject}/subscriptions/orders-push`;

/** A push source on the real listener. Everybody may push unless the dependencies say otherwise. */
export async function pushServer(
  settings: Readonly<Record<string, unknown>> = {},
  dependencies: Partial<PubSubPushDependencies> = {},
): Promise<PushServer> {
  const observer = recordingObserver();
  const given = {
    project: pushProject,
    subscriptions: ['orders.v1:orders-push'],
    onDeadLetter: 'discard',
    ...settings,
  };
  const source = createPubSubPushSource('push', pubsubPushSettings.parse(given), {
    clock: systemClock,
    observer,
    admission: { mayPublish: async () => ({ kind: 'allowed' }) },
    ...dependencies,
  });
  const fixture = await startListener({}, undefined, [source.routes]);
  return {
    source,
    port: fixture.address.port,
    url: `${fixture.address.url}/v1/push/push`,
    observer,
    async [Symbol.asyncDispose]() {
      await source.drain(AbortSignal.abort());
      await fixture[Symbol.asyncDispose]();
    },
  };
}

/** What Pub/Sub posts, as text. `undefined` leaves a field out. */
export const pushBody = (
  message: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): string =>
  JSON.stringify({
    subscription: pushSubscription,
    message: {
      data: Buffer.from('hello').toString('base64'),
      messageId: '1',
      message_id: '1',
      publishTime: '2026-11-22T06:00:00.123Z',
      publish_time: '2026-11-22T06:00:00.123Z',
      ...message,
    },
    ...more,
  });

export const push = (
  { url }: Pick<PushServer, 'url'>,
  message: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<Answer> => post(url, pushBody(message, more));
