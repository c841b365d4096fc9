import type { Event } from '../domain/event.ts';

/** A cause is a sentence; one that quotes something long must not break the broker's limit of an attribute. */
const causeCharactersMax = 512;

/**
 * The attributes of a dead letter: those of the event, and why and from where it came. Names that begin with
 * `Dead-Letter-` stand above the event's own.
 */
export function deadLetterAttributes(event: Event, source: string, cause: string): ReadonlyMap<string, string> {
  return new Map([
    ...event.attributes,
    ['Dead-Letter-Cause', cause.slice(0, causeCharactersMax).toWellFormed()],
    ['Dead-Letter-Source', source],
    ['Dead-Letter-Stream', event.stream],
    ['Dead-Letter-Key', event.key],
    ['Dead-Letter-Id', event.id],
  ]);
}
