import { InvalidArgumentError } from 'commander';

/** Parsers of single values; what they throw is shown with the option's name. */

export type NamedValue = { readonly name: string; readonly value: string };

/** `NAME=VALUE`, split at the first `=`. */
function namedValue(text: string): NamedValue {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write NAME=VALUE.');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** Collects `NAME=VALUE`. Each name may be given once. */
export function collectNamed(text: string, collected: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const { name, value } = namedValue(text);
  if (collected.has(name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  return new Map([...collected, [name, value]]);
}

const claimsOfTheTimes: ReadonlySet<string> = new Set(['exp', 'iat']);

/** Collects `NAME=JSON`. Each name may be given once; `exp` and `iat` may not, for whoever signs a token sets them. */
export function collectClaims(text: string, collected: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const { name, value } = namedValue(text);
  if (collected.has(name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  if (claimsOfTheTimes.has(name)) {
    throw new InvalidArgumentError(`"${name}" is set when the token is signed; "token --expires-in" says until when.`);
  }
  try {
    return new Map([...collected, [name, JSON.parse(value)]]);
  } catch {
    throw new InvalidArgumentError(`What follows "${name}=" must be JSON; text stands in quotes: '${name}="text"'.`);
  }
}

export const collect = (text: string, collected: readonly string[] = []): readonly string[] => [
  ...collected,
  notEmpty(text),
];

/** Adds the parts between commas. */
export const collectList = (text: string, collected: readonly string[]): readonly string[] => {
  const parts = text.split(',').map((part) => part.trim());
  return [...collected, ...parts.map(notEmpty)];
};

export function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

export function positiveNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}

/** The path of a hub. */
export function hubPath(text: string): string {
  if (!/^\/[^?#\s]*$/.test(text)) throw new InvalidArgumentError('It must begin with "/"; a query stands in --query.');
  return text.replace(/\/$/, '');
}

/** Where a gateway listens, of whatever scheme its clients write. */
export function gatewayUrl(text: string): URL {
  const url = URL.parse(text.replace(/^ws(s?):\/\//i, 'http$1://'));
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:8080.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('It must hold no user or password. A token stands in EDGEWARD_TOKEN.');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('It must end before any "?" or "#": nothing of that is sent.');
  }
  return url;
}

/** A path below the gateway's URL, which may itself have one. */
export const below = (gateway: URL, path: string): string =>
  `${gateway.origin}${gateway.pathname.replace(/\/$/, '')}${path}`;
