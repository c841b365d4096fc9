import type { IncomingHttpHeaders } from 'node:http';

/** As the original answers a preflight (brainlife section 1). */
const allowedMethods = 'GET,HEAD,PUT,PATCH,POST,DELETE';

type Headers = Readonly<Record<string, string>>;

/** What lets a page of another origin read an answer; tokens come in a header, so no cookie is ever at stake. */
export function crossOriginHeaders(origins: readonly string[], { origin }: IncomingHttpHeaders): Headers {
  if (origins.length === 0) return {};
  if (origins.includes('*')) return { 'access-control-allow-origin': '*' };
  const allowed = origin !== undefined && origins.includes(origin);
  return { vary: 'Origin', ...(allowed ? { 'access-control-allow-origin': origin } : {}) };
}

/** And what it may send: the header names that it asks for. */
export function preflightHeaders(origins: readonly string[], headers: IncomingHttpHeaders): Headers {
  const asked = headers['access-control-request-headers'] ?? '';
  const names = /^[A-Za-z0-9, -]{1,200}$/.test(asked) ? asked : 'Authorization, Content-Type';
  return {
    ...crossOriginHeaders(origins, headers),
    'access-control-allow-methods': allowedMethods,
    'access-control-allow-headers': names,
  };
}
