/** Which pages may connect: browsers say of each request where it comes from, and other clients do not. */
export const allowsOrigin = (origins: readonly string[], origin: string | undefined): boolean =>
  origin === undefined || origins.length === 0 || isListed(origins, origin);

/**
 * What lets a page of another origin read an answer (signalr-protocol 9). The official client sends credentials, which a
 * `*` is not enough for.
 */
export function corsHeaders(origins: readonly string[], origin: string | undefined): Readonly<Record<string, string>> {
  if (origins.length === 0) return {};
  if (origin === undefined || !isListed(origins, origin)) return { Vary: 'Origin' };
  return { Vary: 'Origin', 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' };
}

/** The same for a preflight. */
export function preflightHeaders(
  origins: readonly string[],
  origin: string | undefined,
): Readonly<Record<string, string>> {
  const headers = corsHeaders(origins, origin);
  if (!('Access-Control-Allow-Origin' in headers)) return headers;
  return {
    ...headers,
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': 'authorization, content-type, x-requested-with, x-signalr-user-agent',
    'Access-Control-Max-Age': '600',
  };
}

const isListed = (origins: readonly string[], origin: string): boolean =>
  origins.includes('*') || origins.includes(origin);
