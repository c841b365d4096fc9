import type { Presented } from '../../../application/ports/admission.ts';
import { queryOf } from '../presented-by.ts';

/** A token, and what the client calls its kind: `jwt`, `oauth`, or what else it may say. */
type TypedToken = { readonly token: string; readonly type: string };

/** What a client sends when it connects (avaya-spaces section 1). */
export type SpacesHandshake = {
  /** Path and query as they came. */
  readonly url: string;
  /** The query of the CONNECT packet, or what newer clients call `auth`. */
  readonly auth: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Partial<Record<string, readonly string[]>>>;
};

/** JavaScript clients write absent values as these texts. */
const absentTexts: ReadonlySet<string> = new Set(['', 'undefined', 'null']);

/** `token=TOKEN=jwt`, of bots that lost the name of the second field (section 2). */
const lostName = /=(jwt|oauth|service_app)$/;

/**
 * Reads `token.TYPE`: the token when the client says that it is of this type, and nothing otherwise. The URL's query
 * stands above that of the CONNECT packet; a client that says no type has a JWT (section 6 item 3). Other places are read
 * as for every endpoint.
 */
export function spacesPresented({ url, auth, headers }: SpacesHandshake): Presented {
  const query = new Map<string, unknown>(queryOf(url));
  const typed = tokenIn(query) ?? tokenIn(new Map(Object.entries(auth)));
  return presentedToken(typed, (place) => {
    const dot = place.indexOf('.');
    const name = place.slice(dot + 1);
    if (place.startsWith('header.')) return headers[name] ?? [];
    const value = place.startsWith('query.')
      ? query.get(name)
      : place.startsWith('auth.')
        ? own(auth, name)
        : undefined;
    return typeof value === 'string' ? [value] : [];
  });
}

/**
 * The same of a request over HTTP: `Authorization: jwt TOKEN`, `bearer TOKEN` or `service_app TOKEN` (section 1). Clients of
 * all kinds write `bearer`: what has the form of a JWT is one, and may be an opaque token all the same, which is the second.
 */
export function spacesPresentedOverHttp(headers: SpacesHandshake['headers']): readonly [Presented, ...Presented[]] {
  const [text, another] = headers['authorization'] ?? [];
  const [, scheme = '', token = ''] = /^(\w+) +(\S+)$/.exec(another === undefined ? (text ?? '') : '') ?? [];
  const presented = (type: string): Presented =>
    presentedToken(token === '' ? undefined : { token, type }, (place) =>
      place.startsWith('header.') ? (headers[place.slice('header.'.length)] ?? []) : [],
    );
  const said = scheme.toLowerCase();
  if (said !== 'bearer') return [presented(said)];
  return compactForm.test(token) ? [presented('jwt'), presented('oauth')] : [presented('oauth')];
}

const compactForm = /^[\w-]+\.[\w-]+\.[\w-]*$/;

const presentedToken = (typed: TypedToken | undefined, other: Presented['read']): Presented => ({
  read(place) {
    if (!place.startsWith('token.')) return other(place);
    return typed && place === `token.${typed.type}` ? [typed.token] : [];
  },
});

function tokenIn(fields: ReadonlyMap<string, unknown>): TypedToken | undefined {
  const given = textIn(fields, 'token');
  if (given === undefined) return undefined;
  const lost = lostName.exec(given)?.[1];
  const said = textIn(fields, 'tokenType')?.toLowerCase();
  if (lost === undefined || (said !== undefined && said !== lost)) return { token: given, type: said ?? 'jwt' };
  return { token: given.slice(0, -lost.length - 1), type: lost };
}

function textIn(fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name);
  return typeof value === 'string' && !absentTexts.has(value) ? value : undefined;
}

const own = (record: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(record, name) ? record[name] : undefined;
