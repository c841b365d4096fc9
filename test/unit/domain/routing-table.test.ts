import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../src/domain/condition.ts';
import type { Event } from '../../../src/domain/event.ts';
import { roomsPerEventMax } from '../../../src/domain/limits.ts';
import type { RoutingRule } from '../../../src/domain/routing-rule.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import { eventOf, patternOf, routingOf, ruleOf, templatesOf } from '../../support/domain-fixtures.ts';

const decide = (rules: readonly RoutingRule[], event: Event) => routingOf(rules).decide(event);
const roomsOf = (rule: Partial<RoutingRule>, event: Event) => {
  const decision = decide([ruleOf(rule)], event);
  return decision.kind === 'routed' ? decision.rooms : decision.cause;
};

describe('which rules are for an event', () => {
  const rules = [
    ruleOf({ name: 'all', templates: templatesOf('all') }),
    ruleOf({ name: 'orders', stream: patternOf('orders.*'), templates: templatesOf('orders') }),
    ruleOf({ name: 'eu', stream: patternOf('orders.*'), key: patternOf('eu.#'), templates: templatesOf('eu') }),
  ];

  test.each([
    ['stock', '', ['all'], ['all']],
    ['orders.new', '', ['all', 'orders'], ['all', 'orders']],
    ['orders.new', 'eu', ['all', 'orders', 'eu'], ['all', 'orders', 'eu']],
    ['orders.new', 'eu.se', ['all', 'orders', 'eu'], ['all', 'orders', 'eu']],
    ['orders.new', 'us', ['all', 'orders'], ['all', 'orders']],
    ['orders', 'eu', ['all'], ['all']],
  ])('stream %s and key "%s": %o', (stream, key, names, rooms) => {
    const decision = decide(rules, eventOf({}, { stream, key }));
    expect(decision).toEqual({
      kind: 'routed',
      rooms,
      rules: names.map((name) => ({ rule: name, kind: 'contributed', templates: [name] })),
    });
  });

  test('they contribute in the order of the config, each room once', () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      ruleOf({ name: `${index}`, choice: 'eachOf', templates: templatesOf(`room${index}`, 'shared') }),
    );
    const decision = decide(many, eventOf({}));
    expect(decision.rules.map((each) => each.rule)).toEqual(many.map((rule) => rule.name));
    expect(decision.kind === 'routed' && decision.rooms).toEqual([
      'room0',
      'shared',
      ...many.slice(1).map((rule) => `room${rule.name}`),
    ]);
  });

  test('no rule is a decision with its reason', () => {
    expect(decide(rules.slice(1), eventOf({}, { stream: 'stock', key: 'a.b' }))).toEqual({
      kind: 'unroutable',
      cause: 'no_rule',
      reason: 'no rule is for stream "stock" and key "a.b"',
      rules: [],
    });
  });

  test('a condition reads the event, and one that does not hold says so', () => {
    const scopes: unknown[] = [];
    const asked: Condition = (scope) => {
      scopes.push(scope);
      return allowed(true);
    };
    const refusing: Condition = () => refused({ error: false, text: 'no premium' });
    const broken: Condition = () => refused({ error: true, text: 'no such name' });
    const event = eventOf({ a: '1' }, { stream: 's', key: 'k', contentType: 'text/plain' });
    const decision = decide(
      [
        ruleOf({ name: 'held', when: asked, templates: templatesOf('room') }),
        ruleOf({ name: 'refused', when: refusing, templates: templatesOf('premium') }),
        ruleOf({ name: 'broken', when: broken, templates: templatesOf('broken') }),
      ],
      event,
    );
    expect(decision).toEqual({
      kind: 'routed',
      rooms: ['room'],
      rules: [
        { rule: 'held', kind: 'contributed', templates: ['room'] },
        { rule: 'refused', kind: 'skipped', reason: 'no premium', error: false },
        { rule: 'broken', kind: 'skipped', reason: 'no such name', error: true },
      ],
    });
    expect(scopes).toEqual([
      {
        event: {
          id: 'event-1',
          stream: 's',
          key: 'k',
          attributes: new Map([['a', '1']]),
          contentType: 'text/plain',
          source: 'test',
        },
      },
    ]);
  });

  test('without a content type a condition reads an empty text', () => {
    const when: Condition = ({ event }) =>
      (event as { contentType: unknown }).contentType === '' ? allowed(true) : refused({ error: true, text: 'other' });
    expect(roomsOf({ when, templates: templatesOf('room') }, eventOf({}))).toEqual(['room']);
  });

  test('when all of them are skipped, the reason says what each one lacks', () => {
    const decision = decide(
      [
        ruleOf({ name: 'one', templates: templatesOf('a/{x}/{y}', 'b/{z}') }),
        ruleOf({ name: 'two', when: () => refused({ error: false, text: 'not today' }), templates: templatesOf('c') }),
      ],
      eventOf({ x: '1', z: '' }),
    );
    expect(decision).toEqual({
      kind: 'unroutable',
      cause: 'no_template',
      reason: 'one: "a/{x}/{y}" lacks {y}, "b/{z}" lacks {z}; two: not today',
      rules: [
        { rule: 'one', kind: 'skipped', reason: '"a/{x}/{y}" lacks {y}, "b/{z}" lacks {z}', error: false },
        { rule: 'two', kind: 'skipped', reason: 'not today', error: false },
      ],
    });
  });
});

describe('which templates a rule chooses', () => {
  const templates = templatesOf('a/{x}/{y}', 'b/{x}', 'c');

  test.each([
    [{ x: '1', y: '2' }, ['a/1/2']],
    [{ x: '1' }, ['b/1']],
    [{ y: '2' }, ['c']],
    [{ x: '', y: '2' }, ['c']],
  ])('firstOf with %o: %o', (attributes, rooms) => {
    expect(roomsOf({ templates }, eventOf(attributes))).toEqual(rooms);
  });

  test.each([
    [{ x: '1', y: '2' }, ['a/1/2', 'b/1', 'c']],
    [{ x: '1' }, ['b/1', 'c']],
    [{ y: '2' }, ['c']],
  ])('eachOf with %o: %o', (attributes, rooms) => {
    expect(roomsOf({ choice: 'eachOf', templates }, eventOf(attributes))).toEqual(rooms);
  });

  test('alsoUnder repeats what was chosen, below each prefix that is complete', () => {
    const rule = {
      choice: 'eachOf',
      templates: templatesOf('a/{x}', 'b/{y}', 'c'),
      alsoUnder: templatesOf('topics/{stream}', 'keys/{missing}', 'all'),
    } as const;
    const decision = decide([ruleOf(rule)], eventOf({ x: '1' }, { stream: 's/t' }));
    expect(decision).toEqual({
      kind: 'routed',
      rooms: ['a/1', 'c', 'topics/s%2Ft/a/1', 'topics/s%2Ft/c', 'all/a/1', 'all/c'],
      rules: [
        {
          rule: 'rule',
          kind: 'contributed',
          templates: ['a/{x}', 'c', 'topics/{stream}/a/{x}', 'topics/{stream}/c', 'all/a/{x}', 'all/c'],
        },
      ],
    });
  });
});

describe('what a rule reads from an event', () => {
  const templates = templatesOf('{x}/{y}', '{x}', '-');

  test('stream and key stand above attributes of these names', () => {
    const event = eventOf({ stream: 'false', key: 'false' }, { stream: 'real', key: 'k' });
    expect(roomsOf({ templates: templatesOf('{stream}/{key}') }, event)).toEqual(['real/k']);
    const keyless = eventOf({ key: 'false' }, { stream: 'real' });
    expect(roomsOf({ templates: templatesOf('{stream}/{key}') }, keyless)).toBe('no_template');
  });

  test.each([
    ['a.b', {}, ['a/b']],
    ['a.b.c', {}, ['a/b']],
    ['a', {}, ['a']],
    ['', {}, ['-']],
    ['.b', { x: 'attribute' }, ['-']],
    ['a', { x: 'attribute', y: 'attribute' }, ['a']],
    ['', { x: 'attribute', y: 'attribute' }, ['-']],
  ])('the parts of key "%s" stand above the attributes %o: %o', (key, attributes, rooms) => {
    expect(roomsOf({ keyParts: ['x', 'y'], templates }, eventOf(attributes, { key }))).toEqual(rooms);
  });

  test("a part without a name is skipped, and an attribute with no name is not its rule's", () => {
    const event = eventOf([['', 'nameless']], { key: 'a.b.c' });
    expect(roomsOf({ keyParts: ['', 'x', ''], templates }, event)).toEqual(['b']);
  });

  test.each([
    ['a,b', ['a', 'b']],
    [' a , ,b ,', ['a', 'b']],
    ['a;b', ['a;b']],
    [',', ['-']],
    ['', ['-']],
  ])('hiiretail 8.13: the list "%s" is %o', (x, rooms) => {
    expect(roomsOf({ lists: new Map([['x', ',']]), templates: templatesOf('{x}', '-') }, eventOf({ x }))).toEqual(
      rooms,
    );
  });

  test('only what is declared is a list, and a list that is not there is absent', () => {
    const lists = new Map([['other', ',']]);
    expect(roomsOf({ lists, templates }, eventOf({ x: 'a,b' }))).toEqual(['a,b']);
    expect(roomsOf({ lists: new Map([['x', ',']]), templates }, eventOf({}))).toEqual(['-']);
  });

  test('names are what they are: case, prototypes, non-ASCII', () => {
    const read = templatesOf('{__proto__}/{constructor}/{Ä}');
    const event = eventOf([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['Ä', 'ä'],
    ]);
    expect(roomsOf({ templates: read }, event)).toEqual(['p/c/ä']);
    expect(roomsOf({ templates: read }, eventOf({ constructor: 'c', Ä: 'ä' }))).toBe('no_template');
    expect(roomsOf({ templates: templatesOf('{Tenant-Id}') }, eventOf({ 'tenant-id': '1' }))).toBe('no_template');
  });
});

describe('how many rooms an event may have', () => {
  const listOf = (count: number) => Array.from({ length: count }, (_, index) => index).join(',');
  const lists = new Map([
    ['x', ','],
    ['y', ','],
  ]);

  test('as many as the limit, and not one more', () => {
    const templates = templatesOf('{x}');
    expect(roomsOf({ lists, templates }, eventOf({ x: listOf(roomsPerEventMax) }))).toHaveLength(roomsPerEventMax);
    const decision = decide([ruleOf({ lists, templates })], eventOf({ x: listOf(roomsPerEventMax + 1) }));
    expect(decision).toEqual({
      kind: 'unroutable',
      cause: 'rooms_too_many',
      reason: 'the event names more than 10000 rooms',
      rules: [{ rule: 'rule', kind: 'contributed', templates: ['{x}'] }],
    });
  });

  test('all rules and templates together count, a room only once', () => {
    const rule = ruleOf({ lists, templates: templatesOf('{x}') });
    const event = eventOf({ x: listOf(roomsPerEventMax) });
    expect(decide([rule, rule], event).kind).toBe('routed');
    expect(roomsOf({ lists, templates: templatesOf('{x}'), alsoUnder: templatesOf('all') }, event)).toBe(
      'rooms_too_many',
    );
    expect(decide([rule, ruleOf({ templates: templatesOf('one-more') })], event)).toMatchObject({
      cause: 'rooms_too_many',
    });
  });

  test('lists that multiply end at the limit, long before they are counted out', () => {
    const long = listOf(100_000);
    expect(roomsOf({ lists, templates: templatesOf('{x}/{y}') }, eventOf({ x: long, y: long }))).toBe('rooms_too_many');
  });
});
