import type { NotificationSearch, SortKey } from '../../../application/find-notifications.ts';
import type { Caller } from '../../../application/ports/caller-identification.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { type FindCondition, parseFindCondition } from './find-condition.ts';
import { documentFields, documentOf, type NotificationDocument } from './notification-document.ts';

/** What a list is asked for, and what of each document is shown. */
export type FindQuery = {
  readonly search: NotificationSearch;
  readonly show: (document: NotificationDocument) => Readonly<Record<string, unknown>>;
};

const limitDefault = 100;
const skipMax = 10_000;

/**
 * Query fields of a list (brainlife section 2): `find` or `where` (JSON), `select`, `limit`, `skip`, `sort`. Whose
 * documents are looked for is the caller, whatever the query says, except where an administrator names somebody.
 */
export function readFindQuery(query: URLSearchParams, caller: Caller, listMax: number): Verdict<FindQuery> {
  for (const name of ['find', 'where', 'select', 'limit', 'skip', 'sort']) {
    if (query.getAll(name).length > 1) return refused(`${name} is given more than once`);
  }
  const found = readFind(query.get('find') || query.get('where') || '{}', caller);
  const select = readSelect(query.get('select') ?? '');
  const sort = readSort(query.get('sort') ?? '');
  const limit = readCount('limit', query.get('limit'), limitDefault);
  const skip = readCount('skip', query.get('skip'), 0);
  if (!found.ok) return refused(`find: ${found.reason}`);
  if (!select.ok) return select;
  if (!sort.ok) return sort;
  if (!limit.ok) return limit;
  if (!skip.ok) return skip;
  if (skip.value > skipMax) return refused(`skip is more than ${skipMax}`);
  const { userId, condition } = found.value;
  return allowed({
    search: {
      userId,
      matches: (notification) => condition(documentOf(notification)),
      order: sort.value,
      skip: skip.value,
      // 0 is none for MongoDB.
      limit: Math.min(limit.value === 0 ? listMax : limit.value, listMax),
    },
    show: select.value,
  });
}

type Found = { readonly userId: string | undefined; readonly condition: FindCondition };

function readFind(text: string, caller: Caller): Verdict<Found> {
  let query: unknown;
  try {
    query = JSON.parse(text);
  } catch {
    return refused('this is no JSON');
  }
  if (typeof query !== 'object' || query === null || Array.isArray(query)) return refused('a condition is an object');
  const { user_id: user, ...others } = query as Record<string, unknown>;
  const isOthers = caller.isAdmin && user !== undefined;
  const isOne = typeof user === 'string' || typeof user === 'number';
  // Of one user it is the store that looks; an operator is one more condition.
  const condition = parseFindCondition(isOthers && user !== null && !isOne ? { ...others, user_id: user } : others);
  if (!condition.ok) return condition;
  return allowed({ userId: !isOthers ? caller.userId : isOne ? String(user) : undefined, condition: condition.value });
}

function readCount(name: string, text: string | null, byDefault: number): Verdict<number> {
  if (text === null || text === '') return allowed(byDefault);
  return /^\d{1,9}$/.test(text) ? allowed(Number(text)) : refused(`${name} is no whole number`);
}

/** Names between blanks, with `-` in front of what is left out. */
const namesIn = (text: string) =>
  text
    .split(/\s+/)
    .filter((name) => name !== '')
    .map((name) => ({ name: name.replace(/^[-+]/, ''), isMinus: name.startsWith('-') }));

function unknownField(what: string, names: readonly { readonly name: string }[]): string | undefined {
  const unknown = names.find(({ name }) => !documentFields.includes(name));
  return (
    unknown && `${what}: there is no field "${unknown.name.slice(0, 100)}"; there are ${documentFields.join(', ')}`
  );
}

function readSelect(text: string): Verdict<FindQuery['show']> {
  const names = namesIn(text);
  const unknown = unknownField('select', names);
  if (unknown !== undefined) return refused(unknown);
  const shown = new Set(names.filter(({ isMinus }) => !isMinus).map(({ name }) => name));
  const hidden = new Set(names.filter(({ isMinus }) => isMinus).map(({ name }) => name));
  if (shown.size > 0 && [...hidden].some((name) => name !== '_id')) {
    return refused('select: names either what is shown or what is left out; only _id may be left out of the first');
  }
  const isShown = (name: string) => !hidden.has(name) && (shown.size === 0 || shown.has(name) || name === '_id');
  return allowed((document) => Object.fromEntries(Object.entries(document).filter(([name]) => isShown(name))));
}

const sortFieldsMax = 3;

function readSort(text: string): Verdict<NotificationSearch['order']> {
  const names = namesIn(text);
  const unknown = unknownField('sort', names);
  if (unknown !== undefined) return refused(unknown);
  if (names.length > sortFieldsMax) return refused(`sort has more than ${sortFieldsMax} fields`);
  if (names.every(({ name, isMinus }) => name === '_id' && !isMinus)) return allowed(undefined);
  return allowed({
    keyOf(notification) {
      const document = documentOf(notification);
      return names.map(({ name }) => sortValue(document[name]));
    },
    compare(a, b) {
      for (const [index, { isMinus }] of names.entries()) {
        const order = compareValues(a[index], b[index]);
        if (order !== 0) return isMinus ? -order : order;
      }
      return 0;
    },
  });
}

/** Texts and numbers; everything else is before them, and equal. ISO dates sort as text. */
function compareValues(first: SortKey[number], second: SortKey[number]): number {
  if (first === second) return 0;
  if (first === undefined || second === undefined) return first === undefined ? -1 : 1;
  return first < second ? -1 : 1;
}

const sortValue = (value: unknown): string | number | undefined =>
  typeof value === 'string' || typeof value === 'number' ? value : undefined;
