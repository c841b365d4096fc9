import type { Event } from './event.ts';
import type { Verdict } from './verdict.ts';

/** The names that a condition may read, such as `claims`, `permissions`, `event`. */
export type Scope = Readonly<Record<string, unknown>>;

/**
 * A rule compiled elsewhere and handed to the domain. Never throws: a rule that cannot be evaluated is refused with
 * the error as its reason, so it denies. `error` tells a broken rule from one that says no.
 */
export type Condition = (scope: Scope) => Verdict<true, ConditionRefusal>;

export type ConditionRefusal = { readonly error: boolean; readonly text: string };

/** Those that nobody can read are there, and empty: `in` and `has` find what the event carries. */
function attributesOf({ attributes, unreadable }: Event): Event['attributes'] {
  if (!unreadable) return attributes;
  return new Map([...attributes, ...[...unreadable].map((name) => [name, ''] as const)]);
}

/** What conditions read as `event`. */
export const eventScope = (event: Event): Scope => ({
  event: {
    id: event.id,
    stream: event.stream,
    key: event.key,
    attributes: attributesOf(event),
    contentType: event.contentType ?? '',
    source: event.origin.source,
  },
});
