import { lookup } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request as requestInClear } from 'node:http';
import { request as requestByTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { NotificationHandler } from '../../../application/ports/notification-handler.ts';
import { isIn, isPublic, type Network, parseNetworks } from './public-address.ts';
import { webhookAddressRefused, webhookGone, webhookRefused, webhookUnreachable } from './webhook-fault.ts';
import { type WebhookMessage, webhookMessage } from './webhook-message.ts';
import type { WebhookSettings } from './webhook-settings.ts';

export type WebhookDependencies = {
  readonly clock: Clock /** Node's own, unless a test has another. */;
  readonly resolve?: LookupFunction;
};

/** The handler `webhook`: posts to the `url` of the notification's config, signed by Standard Webhooks. */
export function createWebhookNotification(
  settings: WebhookSettings,
  { clock, resolve = lookup as LookupFunction }: WebhookDependencies,
): NotificationHandler {
  const networks = parseNetworks(settings.allowedNetworks);
  return {
    name: 'webhook',
    readsPayload: true,
    concurrencyMax: settings.concurrencyMax,
    async send(notification, signal) {
      const message = webhookMessage(notification, settings, clock.now());
      const limit = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
      judge(await post(message, guardFor(message.url, networks), resolve, limit));
    },
  };
}

/** A status is a verdict; redirects are not followed (Standard Webhooks, "Deliverability and reliability"). */
function judge({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 200 && statusCode < 300) return;
  if (statusCode === 410) throw webhookGone();
  throw webhookRefused(statusCode, retryAfterMs(headers['retry-after']));
}

/** In seconds; a date is rare, and the back-off does as well. */
const retryAfterMs = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;

/** Whether a connection may be made to an address. */
type Guard = (address: string) => boolean;

/** In the clear only into networks that the operator has named. */
const guardFor = ({ protocol }: URL, networks: readonly Network[]): Guard =>
  protocol === 'https:'
    ? (address) => isPublic(address) || isIn(address, networks)
    : (address) => isIn(address, networks);

/**
 * Looks at the addresses that the connection is going to be made to, and at no other look-up of the name, so that a name
 * that resolves differently each time gains nothing.
 */
function guarded(resolve: LookupFunction, mayConnect: Guard): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '');
      const addresses = Array.isArray(found) ? found : [];
      const [first] = addresses;
      // One address that is not public is enough to be careful with all of them.
      if (!first || !addresses.every(({ address }) => mayConnect(address))) return done(webhookAddressRefused(), '');
      return options.all ? done(null, addresses) : done(null, first.address, first.family);
    });
  };
}

async function post(
  { url, headers, body }: WebhookMessage,
  mayConnect: Guard,
  resolve: LookupFunction,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // An address in the place of a name is not looked up.
  if (isIP(host) !== 0 && !mayConnect(host)) throw webhookAddressRefused();
  const request = (url.protocol === 'https:' ? requestByTls : requestInClear)(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body), 'user-agent': 'edgeward' },
    // A connection of its own: none that was looked at for another name.
    agent: false,
    lookup: guarded(resolve, mayConnect),
    signal,
  });
  try {
    return await answerTo(request, body);
  } catch (error) {
    throw error instanceof Fault ? error : webhookUnreachable(codeOf(error));
  }
}

function answerTo(request: ClientRequest, body: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', (response) => {
    // Nobody reads what else it says.
    response.on('error', () => {});
    response.destroy();
    resolve(response);
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return 'no details';
  if ('name' in error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return 'no answer in time';
  return 'code' in error && typeof error.code === 'string' ? error.code : 'the connection failed';
};
