import { Webhook } from 'standardwebhooks';
import { configText, type Notification } from '../../../domain/notification.ts';
import { webhookSecretMissing, webhookUrlInvalid } from './webhook-fault.ts';
import { secretProblem, type WebhookSettings } from './webhook-settings.ts';

export type WebhookMessage = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * What is posted, by Standard Webhooks 1.0 (https://www.standardwebhooks.com): the id is the same for each try, the time
 * and with it the signature are not. Throws a `Fault` (`dead-letter`) for a notification that cannot be sent.
 */
export function webhookMessage(notification: Notification, { secrets }: WebhookSettings, now: number): WebhookMessage {
  const url = targetOf(notification);
  const keys = secretsOf(notification, secrets);
  const id = `notification_${notification.id}`;
  const at = new Date(now);
  const body = bodyOf(notification);
  return {
    url,
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': keys.map((key) => new Webhook(key).sign(id, at, body)).join(' '),
    },
  };
}

function targetOf(notification: Notification): URL {
  const url = URL.parse(configText(notification, 'url') ?? '');
  if (url === null) throw webhookUrlInvalid('is none');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw webhookUrlInvalid('is not https://');
  if (url.username !== '' || url.password !== '') throw webhookUrlInvalid('has a user name or password');
  return url;
}

/** The receiver's own secret stands above those of the gateway, which are known to all who receive by them. */
function secretsOf(notification: Notification, secrets: readonly string[]): readonly string[] {
  const { config } = notification;
  const own = configText(notification, 'secret');
  const isOther = own === undefined && typeof config === 'object' && config !== null && Object.hasOwn(config, 'secret');
  if (isOther || (own !== undefined && secretProblem(own) !== undefined)) throw webhookSecretMissing();
  const keys = own === undefined ? secrets : [own];
  if (keys.length === 0) throw webhookSecretMissing();
  return keys;
}

/** The payload is the text that came: parsed and written again, its long numbers would be others. */
function bodyOf(notification: Notification): string {
  const content = JSON.stringify(contentOf(notification));
  const payload = notification.trigger?.payload;
  return payload === undefined ? content : `${content.slice(0, -eventEnd.length)},"payload":${payload}${eventEnd}`;
}

/** The event is the last of `data`, and that the last of all. */
const eventEnd = '}}}';

/** `type`, `timestamp` and `data`, as Standard Webhooks wants them; without the payload. */
function contentOf({ id, event, userId, config, triggeredAt, trigger }: Notification) {
  const { eventId, stream, key, publishedAt } = trigger ?? {};
  return {
    type: event,
    timestamp: new Date(triggeredAt ?? 0).toISOString(),
    data: {
      notification: id,
      user_id: userId,
      config: withoutSecret(config),
      event: {
        id: eventId,
        stream,
        key,
        published_at: publishedAt === undefined ? undefined : new Date(publishedAt).toISOString(),
      },
    },
  };
}

const withoutSecret = (config: unknown): unknown =>
  typeof config === 'object' && config !== null && !Array.isArray(config)
    ? Object.fromEntries(Object.entries(config).filter(([name]) => name !== 'secret'))
    : config;
