import type { Negotiated, NegotiatedVersion } from './negotiations.ts';

/** The version that the server answers in, of what is asked for; or why there is none (signalr-protocol 7). */
export function negotiateVersion(asked: string | undefined): NegotiatedVersion | { readonly error: string } {
  if (asked === undefined || asked === '') return 0;
  if (!/^[+-]?\d{1,9}$/.test(asked)) return { error: 'The client requested a non-integer protocol version.' };
  const version = Number(asked);
  if (version >= 1) return 1;
  if (version === 0) return 0;
  return { error: `The client requested version '${version}', but the server does not support this version.` };
}

/** WebSockets is the one transport there is. A stateful reconnect is never offered. */
export function negotiateAnswer(version: NegotiatedVersion, { connection, token }: Negotiated): unknown {
  return {
    negotiateVersion: version,
    connectionId: connection,
    ...(version === 0 ? {} : { connectionToken: token }),
    availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
  };
}

export const negotiateError = (error: string): unknown => ({ negotiateVersion: 0, error });
