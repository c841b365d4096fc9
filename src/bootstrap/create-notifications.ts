import { resolve } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';
import { createHttpUserDirectory } from '../adapters/directory/http-user-directory.ts';
import { createNotificationRoutes } from '../adapters/inbound/notification/notification-routes.ts';
import { createObjectIds } from '../adapters/inbound/notification/object-id.ts';
import { parseMailbox } from '../adapters/outbound/email/mail-address.ts';
import { createSmtpMailer } from '../adapters/outbound/email/smtp-mailer.ts';
import { createWebhookNotification } from '../adapters/outbound/webhook/webhook-handler.ts';
import { createMemoryNotifications } from '../adapters/store/memory-notifications.ts';
import { createSqliteNotifications } from '../adapters/store/sqlite-notifications.ts';
import { parseStoreLocation } from '../adapters/store/store-settings.ts';
import { createFindNotifications } from '../application/find-notifications.ts';
import { forgetNotifications } from '../application/forget-notifications.ts';
import { createMatchNotifications } from '../application/match-notifications.ts';
import { createMailNotification, createMailOff } from '../application/notify-by-mail.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { MessageHandler } from '../application/ports/event-source.ts';
import type { NotificationHandler } from '../application/ports/notification-handler.ts';
import type { OpenableNotifications } from '../application/ports/notification-store.ts';
import type { Observer } from '../application/ports/observer.ts';
import { createRequestNotification } from '../application/request-notification.ts';
import { NotificationSender } from '../application/send-notifications.ts';
import { fieldNamesOf } from '../domain/notification-rule.ts';
import type { Admissions } from './admissions.ts';
import { buildNotificationRules } from './config/build-notification-rules.ts';
import type { NotificationSettings } from './config/notification-section.ts';

/** All of the notifications of a gateway. */
export type Notifications = {
  /** Name of the source whose messages it handles. */
  readonly source: string;
  readonly handler: MessageHandler;
  readonly routes: FastifyPluginAsync;
  /** What nothing is sent by on this gateway, and why; for the operator. */
  readonly off: readonly { readonly handler: string; readonly reason: string }[];
  /** Opens the store and sends what is due. Rejects with a `Fault`. */
  start(): Promise<void>;
  /** Begins no try any more; those under way end, or are cut when the signal aborts. Never rejects. */
  finish(deadline: AbortSignal): Promise<void>;
  /** After the last that uses it. Never rejects. */
  close(): Promise<void>;
};

export type NotificationDependencies = {
  readonly admissions: Admissions;
  readonly clock: Clock;
  readonly observer: Observer;
};

const dayMs = 86_400_000;

export function createNotifications(
  settings: NotificationSettings,
  { admissions, clock, observer }: NotificationDependencies,
): Notifications {
  const { source, payloadBytesMax, waitingMax, keepDays, waitDays, retry } = settings;
  const rules = buildNotificationRules(settings.rules);
  const store = createStore(settings, fieldNamesOf(rules));
  const handlers = createHandlers(settings, clock);
  const { delayMsMin, delayMsMax, giveUpAfterMs } = retry;
  const policy = { backOff: { delayMsMin, delayMsMax }, giveUpAfterMs };
  const sender = new NotificationSender({ outbox: store, handlers, policy, clock, observer, random: Math.random });
  const stopping = new AbortController();
  let forgetting: Promise<void> | undefined;
  return {
    source,
    handler: createMatchNotifications({
      source,
      rules,
      handlers: handlers.map(({ name }) => name),
      withoutPayload: handlers.filter(({ readsPayload }) => !readsPayload).map(({ name }) => name),
      payloadBytesMax,
      store,
      clock,
      observer,
      onMatched: () => sender.wake(),
    }),
    routes: createNotificationRoutes({
      settings,
      callers: admissions.forCallers('notifications', settings),
      request: createRequestNotification({
        store,
        rules,
        handlers,
        waitingMax,
        nextId: createObjectIds(clock),
        clock,
        observer,
      }),
      find: createFindNotifications(store),
      observer,
    }),
    off: handlers.flatMap(({ name, offReason }) =>
      offReason === undefined ? [] : [{ handler: name, reason: offReason }],
    ),
    async start() {
      await store.open();
      await sender.start();
      const limits = { keepMs: keepDays * dayMs, waitMs: waitDays * dayMs, tryMs: giveUpAfterMs };
      forgetting = forgetNotifications({ store, ...limits, clock, observer }, stopping.signal);
    },
    async finish(deadline) {
      stopping.abort();
      await sender.stop(deadline);
      await forgetting;
    },
    close: () => store.close(),
  };
}

function createStore({ store }: NotificationSettings, fieldNames: readonly string[]): OpenableNotifications {
  const location = parseStoreLocation(store);
  if (!location.ok) throw new RangeError(`store ${location.reason}`);
  return location.value.kind === 'memory'
    ? createMemoryNotifications()
    : createSqliteNotifications(resolve(location.value.path), fieldNames);
}

function createHandlers(
  { handlers: { email, webhook } }: NotificationSettings,
  clock: Clock,
): readonly NotificationHandler[] {
  const handlers: NotificationHandler[] = [];
  if (email) handlers.push(createMail(email) ?? createMailOff());
  if (webhook) handlers.push(createWebhookNotification(webhook, { clock }));
  return handlers;
}

/** Nothing where there is no mail server; with one the rest is there, too. */
function createMail({
  directory,
  ...server
}: NonNullable<NotificationSettings['handlers']['email']>): NotificationHandler | undefined {
  const { url, from, concurrencyMax, subjectDefault } = server;
  const { url: directoryUrl, bearer } = directory;
  if (url === undefined || from === undefined || directoryUrl === undefined || bearer === undefined) return undefined;
  const mailbox = parseMailbox(from);
  if (!mailbox.ok) throw new RangeError(`from ${mailbox.reason}`);
  return createMailNotification({
    directory: createHttpUserDirectory({ ...directory, url: directoryUrl, bearer }),
    mailer: createSmtpMailer({ ...server, url, from }),
    messageIdDomain: mailbox.value.address.split('@').at(-1) ?? '',
    concurrencyMax,
    subjectDefault,
  });
}
