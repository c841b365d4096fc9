import { expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { eventScope } from '../../../src/domain/condition.ts';
import { allowedValue, eventOf } from '../../support/domain-fixtures.ts';

const holds = (text: string, event: ReturnType<typeof eventOf>) =>
  allowedValue(compileCondition(text))(eventScope(event)).ok;

test.each([
  ["'user' in event.attributes", true],
  ['has(event.attributes.user)', true],
  ["event.attributes['user'] == ''", true],
  ["event.attributes['user'] == 'u1'", false],
  ["'other' in event.attributes", false],
  ["event.attributes['t'] == '1'", true],
])('an attribute that is no text is there, and empty: %s is %s', (text, expected) => {
  expect(holds(text, eventOf({ t: '1' }, { unreadable: new Set(['user']) }))).toBe(expected);
});

test('an event without one reads as it is', () => {
  const event = eventOf({ t: '1' });
  expect((eventScope(event)['event'] as { attributes: unknown }).attributes).toBe(event.attributes);
});
