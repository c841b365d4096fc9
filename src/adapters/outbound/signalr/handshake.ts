import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';

/** Of a handshake that never came, or is too long (signalr-protocol 2). */
export const handshakeCanceled = 'Handshake was canceled.';
const handshakeUnreadable = 'An unexpected error occurred during connection handshake.';

/** Only the upper bound is looked at, as ASP.NET does. */
const versionMax = 2;

/** The protocol that a handshake asks for; or what it is refused with, in ASP.NET's words (signalr-protocol 2). */
export function readHandshake<Name extends string>(record: Buffer, protocols: readonly Name[]): Verdict<Name> {
  const request = requestOf(record);
  if (!request) return refused(handshakeUnreadable);
  const { protocol, version } = request;
  const known = protocols.find((name) => name === protocol.toLowerCase());
  if (known === undefined) return refused(`The protocol '${protocol}' is not supported.`);
  if (version > versionMax)
    return refused(`The server does not support version ${version} of the '${known}' protocol.`);
  return allowed(known);
}

export const handshakeAnswer = (error?: string): string =>
  `${JSON.stringify(error === undefined ? {} : { error })}\x1e`;

function requestOf(record: Buffer): { readonly protocol: string; readonly version: number } | undefined {
  try {
    const request: unknown = JSON.parse(record.toString('utf8'));
    if (typeof request !== 'object' || request === null) return undefined;
    if (!('protocol' in request) || !('version' in request)) return undefined;
    const { protocol, version } = request;
    return typeof protocol === 'string' && Number.isInteger(version)
      ? { protocol, version: Number(version) }
      : undefined;
  } catch {
    return undefined;
  }
}
