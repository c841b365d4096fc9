import type { Presented } from '../../application/ports/admission.ts';

/** What a client sent: its first HTTP request, and the payload of its CONNECT packet. */
export type Handshake = {
  /** Path and query as they came. Socket.IO's own view of the query keeps only the last of repeated fields. */
  readonly url: string;
  /** By lower-case name, every occurrence. */
  readonly headers: Readonly<Partial<Record<string, readonly string[]>>>;
  /** Any JSON object; its size is that of a frame at most. */
  readonly auth: Readonly<Record<string, unknown>>;
};

/**
 * Reads `auth.NAME`, `query.NAME`, `header.NAME`, and `query.NAME[]`: a list in every spelling that clients produce, which
 * are comma text, repeated fields and `NAME[]` (hiiretail section 7 item 2).
 */
export function presentedBy({ url, headers, auth }: Handshake): Presented {
  const query = queryOf(url);
  return {
    read(place) {
      const dot = place.indexOf('.');
      const name = place.slice(dot + 1);
      switch (place.slice(0, dot)) {
        case 'auth':
          return Object.hasOwn(auth, name) ? authTexts(auth[name]) : [];
        case 'query':
          return query.filter(([field]) => field === name || `${field}[]` === name).map(([, value]) => value);
        case 'header':
          return headers[name.toLowerCase()] ?? [];
        default:
          return [];
      }
    },
  };
}

/** Fields of the query in their order, read as Engine.IO reads them. */
export const queryOf = (url: string): readonly (readonly [string, string])[] => [
  ...(URL.parse(url, 'http://localhost')?.searchParams ?? []),
];

const authTexts = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'number' ? [String(value)] : [];
};
