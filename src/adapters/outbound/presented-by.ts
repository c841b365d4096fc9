import type { Presented } from '../../application/ports/admission.ts';

/** What a client sent: its first HTTP request, and the payload of its CONNECT packet. */
export type Handshake = {
  /** Path and query as they came. Socket.IO's own view of the query keeps only the last of repeated fields. */
  readonly url: string;
  /** By lower-case name, every occurrence. Read when a place asks for one: few do, and to take them apart is dear. */
  readonly headers: Readonly<Partial<Record<string, readonly string[]>>>;
  /** Any JSON object; its size is that of a frame at most. */
  readonly auth: Readonly<Record<string, unknown>>;
};

/**
 * Reads `auth.NAME`, `query.NAME`, `header.NAME`, and `query.NAME[]`: a list in every spelling that clients produce, which
 * are comma text, repeated fields and `NAME[]` (hiiretail section 7 item 2).
 */
export function presentedBy(handshake: Handshake): Presented {
  let query: ReturnType<typeof queryOf> | undefined;
  return {
    read(place) {
      const dot = place.indexOf('.');
      const name = place.slice(dot + 1);
      switch (place.slice(0, dot)) {
        case 'auth':
          return Object.hasOwn(handshake.auth, name) ? authTexts(handshake.auth[name]) : [];
        case 'query':
          query ??= queryOf(handshake.url);
          return query.filter(([field]) => field === name || `${field}[]` === name).map(([, value]) => value);
        case 'header':
          return handshake.headers[name.toLowerCase()] ?? [];
        default:
          return [];
      }
    },
  };
}

/** Fields of the query in their order, read as Engine.IO reads them. */
export const queryOf = (url: string): readonly (readonly [string, string])[] => [
  ...((plainTarget.test(url) ? searchOf(url) : URL.parse(url, 'http://localhost')?.searchParams) ?? []),
];

/** A path in ASCII without a fragment, in which nothing but the query is to be read: half the cost of a URL. */
const plainTarget = /^\/(?![/\\])[!-"$-~]*$/;

function searchOf(target: string): URLSearchParams | undefined {
  const mark = target.indexOf('?');
  // With its mark: where it begins with another one, that would be taken for it.
  return mark === -1 ? undefined : new URLSearchParams(target.slice(mark));
}

const authTexts = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'number' ? [String(value)] : [];
};
