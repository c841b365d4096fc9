import { describe, expect, test } from 'vitest';
import { couldFill, parseEventTemplate } from '../../../src/domain/event-template.ts';
import { canonicalJson, wishText } from '../../../src/domain/notification.ts';
import {
  matchableFields,
  type NotificationRule,
  neverFires,
  occurrencesOf,
} from '../../../src/domain/notification-rule.ts';
import { anEvent } from '../../support/event-fixture.ts';

function template(text: string) {
  const parsed = parseEventTemplate(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

const rule = (
  changes: Partial<Record<'event' | 'user', string>> = {},
  anyOf: Record<string, string> = {},
): NotificationRule => ({
  event: template(changes.event ?? 'wf.task.{payload.status}'),
  user: template(changes.user ?? '{payload.user_id}'),
  anyOf: new Map(Object.entries({ task_id: '{payload._id}', ...anyOf }).map(([name, text]) => [name, template(text)])),
});

const json = (value: unknown) => anEvent({ payload: Buffer.from(JSON.stringify(value)), stream: 's', key: 'k.l' });

describe('what an event is by a rule', () => {
  test('its name, its user and the fields that it has', () => {
    const rules = [rule({}, { instance_id: '{payload.instance.id}', key: '{key}' })];
    const event = json({ status: 'finished', user_id: 7, _id: true, instance: { id: 'i' } });
    expect(occurrencesOf(rules, event)).toEqual([
      {
        event: 'wf.task.finished',
        userId: '7',
        fields: new Map([
          ['task_id', 'true'],
          ['instance_id', 'i'],
          ['key', 'k.l'],
        ]),
      },
    ]);
  });

  test.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['text', '"status"'],
    ['without a status', '{"user_id":1,"_id":1}'],
    ['without a user', '{"status":"x","_id":1}'],
    ['with an empty user', '{"status":"x","user_id":"","_id":1}'],
    ['with an object for a user', '{"status":"x","user_id":{"$ne":1},"_id":1}'],
    ['with none of the fields', '{"status":"x","user_id":1}'],
    ['with null for a field', '{"status":"x","user_id":1,"_id":null}'],
    ['with a field of the prototype', '{"status":"x","user_id":1,"constructor":1}'],
    ['with a field that is too long to be one', `{"status":"x","user_id":1,"_id":"${'x'.repeat(256)}"}`],
  ])('%s: nothing', (_name, text) => {
    expect(occurrencesOf([rule()], anEvent({ payload: Buffer.from(text) }))).toEqual([]);
  });

  test('attributes and names of the prototype are fields like any other', () => {
    const rules = [rule({ user: '{attributes.Owner}' }, { c: '{payload.constructor}', t: '{payload.toString.name}' })];
    const event = anEvent({ payload: Buffer.from('{"status":"x","_id":1}'), attributes: new Map([['Owner', 'ann']]) });
    expect(occurrencesOf(rules, event)).toMatchObject([{ userId: 'ann', fields: new Map([['task_id', '1']]) }]);
  });
});

test.each([
  ['{payload}', false],
  ['{payload.}', false],
  ['{payload.a..b}', false],
  ['{nobody}', false],
  ['{', false],
  ['a}b', false],
  ['', true],
  ['{id}{stream}{key}', true],
  ['{attributes.Tenant-Id}', true],
])('the template "%s" is one: %s', (text, isOne) => {
  expect(parseEventTemplate(text).ok).toBe(isOne);
});

test.each([
  ['wf.task.{payload.status}', 'wf.task.finished', true],
  ['wf.task.{payload.status}', 'wf.task.', false],
  ['wf.task.{payload.status}', 'wf.tasks.finished', false],
  ['{key}.done', 'x.done', true],
  ['{key}.done', '.done', false],
  ['a{key}b{id}c', 'a1b2c', true],
  ['a{key}b{id}c', 'abbc', false],
  ['a{key}b{id}c', 'abbbc', true],
  ['a{key}a', 'aa', false],
  ['fixed', 'fixed', true],
  ['fixed', 'fixed2', false],
])('"%s" could make "%s": %s', (text, name, could) => {
  expect(couldFill(template(text), name)).toBe(could);
});

test('a config is told by its texts, numbers and truth values of at most 255 characters', () => {
  const texts = { f: '', g: 'x'.repeat(256), h: 'x'.repeat(255), k: '\ud800' };
  const config = { a: 'x', b: 1, c: false, d: null, e: {}, ...texts, i: 2 ** 53, j: 2 ** 53 - 1, z: 'nobody asks' };
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'constructor', 'absent'];
  expect([...matchableFields({ config }, names).keys()]).toEqual(['a', 'b', 'c', 'h', 'j']);
  for (const odd of [undefined, null, 'text', 5, ['a']]) {
    expect(matchableFields({ config: odd }, ['0', 'length']).size).toBe(0);
  }
});

test('what can never fire is named, and not at any length', () => {
  const known = new Set(['email']);
  const wish = { event: 'wf.task.failed', handler: 'email', config: { task_id: 1 } };
  expect(neverFires(wish, [rule()], known)).toEqual([]);
  expect(neverFires({ ...wish, handler: 'x'.repeat(9999) }, [rule()], known)[0]).toMatch(
    /^unknown handler "x{100}": it never fires$/,
  );
  expect(neverFires({ ...wish, config: 't' }, [rule()], known)).toHaveLength(1);
  expect(neverFires({}, [rule()], known)).toHaveLength(2);
});

test('two wishes are the same whatever the order of their names, and in nothing else', () => {
  const wish = { event: 'e', handler: 'h', config: { a: 1, b: { c: [1, 2], d: 'x' } } };
  expect(wishText({ ...wish, config: { b: { d: 'x', c: [1, 2] }, a: 1 } })).toBe(wishText(wish));
  for (const config of [{ a: '1', b: wish.config.b }, { a: 1, b: { c: [2, 1], d: 'x' } }, undefined, null]) {
    expect(wishText({ ...wish, config })).not.toBe(wishText(wish));
  }
  expect(wishText({ event: 'e' })).not.toBe(wishText({ handler: 'e' }));
  expect(canonicalJson(JSON.parse('{"__proto__":1,"a":null}'))).toBe('{"__proto__":1,"a":null}');
});
