import { readSpaceId, type SpaceId } from '../../../domain/space.ts';
import { queryOf } from '../presented-by.ts';
import type { SpacesSettings } from './spaces-settings.ts';

/** Where a page begins or ends: at the message with this `_id`, without it. */
export type PagePlace = { readonly direction: 'before' | 'after'; readonly id: string };

export type HistoryQuery = {
  readonly space: SpaceId;
  readonly size: number;
  /** Nothing: the newest page. */
  readonly from: PagePlace | undefined;
};

const sizeDefault = 50;

/** `PATH/{space}/messages?size=…&after=ID` or `&before=ID`. A larger size than may be is that one. */
export function readHistoryQuery(
  url: string,
  { path, pageMax }: SpacesSettings['api'],
): HistoryQuery | 'not-found' | 'invalid' {
  const [asked = ''] = url.split('?');
  const [encoded, last, ...others] = asked.slice(path.length + 1).split('/');
  if (last !== 'messages' || encoded === undefined || others.some((part) => part !== '')) return 'not-found';
  const space = readSpaceId(decoded(encoded));
  if (space === undefined) return 'not-found';
  const fields = new Map(queryOf(url));
  const size = fields.get('size') ?? String(Math.min(sizeDefault, pageMax));
  if (!/^[1-9]\d{0,8}$/.test(size)) return 'invalid';
  const [before, after] = [fields.get('before'), fields.get('after')];
  if (before !== undefined && after !== undefined) return 'invalid';
  const id = before ?? after;
  const direction = before === undefined ? 'after' : 'before';
  return { space, size: Math.min(Number(size), pageMax), from: id === undefined ? undefined : { direction, id } };
}

/** Relative to the gateway: by which name clients reach it is not known here. */
export const pageUrl = (path: string, space: SpaceId, size: number, { direction, id }: PagePlace): string =>
  `${path}/${encodeURIComponent(space)}/messages?size=${size}&${direction}=${encodeURIComponent(id)}`;

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
