import type { Event } from './event.ts';
import { couldFill, type EventTemplate, eventFacts, fillEventTemplate, scalarText } from './event-template.ts';
import type { NotificationWish } from './notification.ts';

/** How events of one kind are matched to notifications. */
export type NotificationRule = {
  /** The name that the event has for whoever asks: `wf.task.{payload.status}`. */
  readonly event: EventTemplate;
  /** Whose notifications it is for. */
  readonly user: EventTemplate;
  /** Fields of a notification's config and what of the event each must be equal to; one that is suffices. */
  readonly anyOf: ReadonlyMap<string, EventTemplate>;
};

/** What an event is by one rule: it fires whatever waits of this user, by this name, with one of these fields. */
export type Occurrence = {
  readonly event: string;
  readonly userId: string;
  readonly fields: ReadonlyMap<string, string>;
};

/** Total: an event that lacks what a rule reads is nothing by that rule. */
export function occurrencesOf(rules: readonly NotificationRule[], event: Event): readonly Occurrence[] {
  const facts = eventFacts(event);
  return rules.flatMap((rule) => {
    const [name, userId] = [fillEventTemplate(rule.event, facts), fillEventTemplate(rule.user, facts)];
    const fields = new Map<string, string>();
    for (const [field, template] of rule.anyOf) {
      const value = fillEventTemplate(template, facts);
      if (value !== undefined && value.length <= fieldCharactersMax) fields.set(field, value);
    }
    return name === undefined || userId === undefined || fields.size === 0 ? [] : [{ event: name, userId, fields }];
  });
}

/** Longer values tell nothing apart: they are what people are told. */
const fieldCharactersMax = 255;

/** Of the named fields of a wish's config those that can tell one event from another, as text. */
export function matchableFields({ config }: NotificationWish, names: Iterable<string>): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return fields;
  for (const name of names) {
    const text = Object.hasOwn(config, name) ? scalarText((config as Record<string, unknown>)[name]) : undefined;
    if (text !== undefined && text !== '' && text.length <= fieldCharactersMax && text.isWellFormed()) {
      fields.set(name, text);
    }
  }
  return fields;
}

/** What of a config some rule may look at, in order. */
export const fieldNamesOf = (rules: readonly NotificationRule[]): readonly string[] =>
  [...new Set(rules.flatMap(({ anyOf }) => [...anyOf.keys()]))].toSorted();

/** Why it can never fire; nothing where it can. */
export function neverFires(
  wish: NotificationWish,
  rules: readonly NotificationRule[],
  handlers: ReadonlySet<string>,
): readonly string[] {
  const { event, handler } = wish;
  const byEvent = event === undefined ? [] : rules.filter((rule) => couldFill(rule.event, event));
  const named = [...new Set(byEvent.flatMap(({ anyOf }) => [...anyOf.keys()]))];
  const fields = matchableFields(wish, named);
  const reasons: string[] = [];
  if (byEvent.length === 0) reasons.push(`unknown event ${quoted(event)}: it never fires`);
  else if (fields.size === 0) {
    reasons.push(`config has none of ${named.join(', ')}, so nothing tells which event is meant: it never fires`);
  }
  if (handler === undefined || !handlers.has(handler))
    reasons.push(`unknown handler ${quoted(handler)}: it never fires`);
  return reasons;
}

const quotedCharactersMax = 100;

const quoted = (name: string | undefined): string =>
  name === undefined ? '(none)' : JSON.stringify(name.slice(0, quotedCharactersMax));
