import { type EventTemplate, parseEventTemplate } from '../../domain/event-template.ts';
import type { NotificationRule } from '../../domain/notification-rule.ts';
import type { NotificationSettings } from './notification-section.ts';

/** Of settings that their schema has let through. */
export const buildNotificationRules = (rules: NotificationSettings['rules']): readonly NotificationRule[] =>
  rules.map(({ event, user, anyOf }) => ({
    event: template(event),
    user: template(user),
    anyOf: new Map(Object.entries(anyOf).map(([field, text]) => [field, template(text)])),
  }));

function template(text: string): EventTemplate {
  const parsed = parseEventTemplate(text);
  if (!parsed.ok) throw new RangeError(parsed.reason);
  return parsed.value;
}
