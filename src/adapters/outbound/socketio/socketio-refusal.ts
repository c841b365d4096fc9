import type { Admission } from '../../../application/ports/admission.ts';
import type { DenialCode } from '../../../domain/denial.ts';
import { denialTexts } from '../denial-texts.ts';
import { queryOf } from '../presented-by.ts';

/** What the client gets with CONNECT_ERROR: `message` for people, `data` for programs. */
export type ConnectRefusal = Error & {
  readonly data: { readonly code: DenialCode } | { readonly code: 'try_later'; readonly retryAfterMs: number };
};

/** The same for people. Says no more than the code does. */
export const refusalText = (admission: Exclude<Admission, { kind: 'admitted' }>): string =>
  admission.kind === 'try-later' ? 'Try again later' : denialTexts[admission.denial.code];

/** Why a client is not let in, as it is told (design table "Denied, try later, come back, stay away"). */
export function connectRefusal(admission: Exclude<Admission, { kind: 'admitted' }>): ConnectRefusal {
  if (admission.kind === 'try-later') {
    const { retryAfterMs } = admission;
    return Object.assign(new Error(refusalText(admission)), { data: { code: 'try_later', retryAfterMs } as const });
  }
  const { code } = admission.denial;
  return Object.assign(new Error(refusalText(admission)), { data: { code } });
}

/** An answer over HTTP instead of a connection. */
export type HttpRefusal = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Nobody is let in now: the gateway closes, or has more connections than it can refuse one by one. */
export const unavailable: HttpRefusal = {
  status: 503,
  body: JSON.stringify({ message: 'Service unavailable, come back in a moment' }),
  headers: { 'Content-Type': 'application/json', 'Retry-After': '1' },
};

/**
 * What Engine.IO would only find out after the upgrade, when it is too late to say so in HTTP (hiiretail section 2).
 * Codes and messages are its own; of repeated fields the last one counts, as it does there.
 *
 * @param oldClients whether those of Engine.IO 3 are taken.
 */
export function upgradeRefusal(url: string, oldClients: boolean): HttpRefusal | undefined {
  const query = new Map(queryOf(url));
  if (query.get('transport') !== 'websocket') return badRequest(0, 'Transport unknown');
  const protocol = query.get('EIO');
  if (protocol === '4' || (protocol === '3' && oldClients)) return undefined;
  return badRequest(5, 'Unsupported protocol version');
}

/** With old clients Engine.IO takes every other version for theirs; without them it refuses each by itself. */
export function pollingRefusal(url: string, oldClients: boolean): HttpRefusal | undefined {
  if (!oldClients || hasSession(url)) return undefined;
  const protocol = new Map(queryOf(url)).get('EIO');
  return protocol === '4' || protocol === '3' ? undefined : badRequest(5, 'Unsupported protocol version');
}

/** Whether a request belongs to a connection that exists, or did. */
export const hasSession = (url: string): boolean => queryOf(url).some(([name]) => name === 'sid');

const badRequest = (code: number, message: string): HttpRefusal => ({
  status: 400,
  body: JSON.stringify({ code, message }),
  headers: { 'Content-Type': 'application/json' },
});
