import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roomSegment, segmentsOf } from '../../../src/domain/room.ts';
import { below, createFiller, expand, missingVariable, parseRoomTemplate } from '../../../src/domain/room-template.ts';
import type { VariableValue } from '../../../src/domain/variables.ts';
import { refusalReason, templateOf } from '../../support/domain-fixtures.ts';
import { hostileText } from '../../support/hostile-text.ts';

const variablesOf = (given: Readonly<Record<string, VariableValue>>) => new Map(Object.entries(given));
const roomsOf = (template: string, given: Readonly<Record<string, VariableValue>>, roomsMax = 100) =>
  expand(templateOf(template), variablesOf(given), roomsMax);

describe('parseRoomTemplate', () => {
  test('takes a template apart', () => {
    expect(templateOf('tenants/{tenant}/users/{user}/{rest*}')).toEqual({
      text: 'tenants/{tenant}/users/{user}/{rest*}',
      segments: [
        { kind: 'literal', text: 'tenants' },
        { kind: 'variable', name: 'tenant' },
        { kind: 'literal', text: 'users' },
        { kind: 'variable', name: 'user' },
        { kind: 'rest', name: 'rest' },
      ],
      variables: new Set(['tenant', 'user', 'rest']),
    });
  });

  test.each([
    'room',
    'a/b',
    '{x}',
    '{x}/{x}',
    '{Tenant-Id}',
    '{__proto__}',
    '..',
    '*',
    'a/#',
    '{a b}',
    'ä/%2F',
    '{x}/{y*}',
  ])('takes %s', (text) => {
    expect(templateOf(text).text).toBe(text);
  });

  test.each([
    ['', 'a room template must not be empty'],
    ['/a', '"/a" has an empty segment (a leading, trailing or double "/")'],
    ['a/', '"a/" has an empty segment (a leading, trailing or double "/")'],
    ['a//b', '"a//b" has an empty segment (a leading, trailing or double "/")'],
    ['{}', 'segment "{}" of "{}" must be plain text, {name} or, at the end, {name*}'],
    ['{*}', 'segment "{*}" of "{*}" must be plain text, {name} or, at the end, {name*}'],
    ['a/{b}c', 'segment "{b}c" of "a/{b}c" must be plain text, {name} or, at the end, {name*}'],
    ['a/{b}{c}', 'segment "{b}{c}" of "a/{b}{c}" must be plain text, {name} or, at the end, {name*}'],
    ['a/{b', 'segment "{b" of "a/{b" must be plain text, {name} or, at the end, {name*}'],
    ['a/b}', 'segment "b}" of "a/b}" must be plain text, {name} or, at the end, {name*}'],
    ['a/{b**}', 'segment "{b**}" of "a/{b**}" must be plain text, {name} or, at the end, {name*}'],
    ['a/{{b}}', 'segment "{{b}}" of "a/{{b}}" must be plain text, {name} or, at the end, {name*}'],
    ['{a*}', '"{a*}" needs plain text before {a*}'],
    ['{a*}/b', '"{a*}/b" needs plain text before {a*}'],
    ['a/{b*}/c', '{b*} must be the last segment of "a/{b*}/c"'],
    ['a/{b*}/{c*}', '{b*} must be the last segment of "a/{b*}/{c*}"'],
  ])('refuses "%s" and says why', (text, reason) => {
    expect(refusalReason(parseRoomTemplate(text))).toBe(reason);
  });

  test('any text is either refused with a reason or kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '/', '{', '}', '*', '%') }), (text) => {
        const parsed = parseRoomTemplate(text);
        if (!parsed.ok) expect(parsed.reason).not.toBe('');
        else expect(parsed.value.segments).toHaveLength(text.split('/').length);
      }),
    );
  });
});

describe('expand', () => {
  test.each([
    ['tenants/{t}', { t: '42' }, ['tenants/42']],
    ['a/b', {}, ['a/b']],
    ['{t}/{t}', { t: 'x' }, ['x/x']],
    ['tenants/{t}', {}, []],
    ['tenants/{t}', { t: '' }, []],
    ['tenants/{t}', { t: [] }, []],
    ['tenants/{t}', { t: [''] }, []],
    ['tenants/{t}/{u}', { t: '42' }, []],
    ['topics/{x}', { x: ['a', '', 'b'] }, ['topics/a', 'topics/b']],
    ['{x}/{y}', { x: ['a', 'b'], y: ['1', '2'] }, ['a/1', 'b/1', 'a/2', 'b/2']],
    ['{x}/{y}/{x}', { x: ['a', 'b'], y: '1' }, ['a/1/a', 'b/1/b']],
    ['a/{x}', { x: '..' }, ['a/..']],
    ['a/{x}', { x: 'b/../c' }, ['a/b%2F..%2Fc']],
    ['a/{x}', { x: '%2F' }, ['a/%252F']],
    ['a/{x}', { x: '__proto__' }, ['a/__proto__']],
    ['a/{x*}', { x: 'b/../c' }, ['a/b/../c']],
    ['a/{x*}', { x: '/' }, ['a//']],
    ['a/{x*}', { x: '%2F' }, ['a/%2F']],
    ['a/{x*}', { x: ['b/c', 'd'] }, ['a/b/c', 'a/d']],
  ] as const)('%s with %o makes %o', (template, given, rooms) => {
    expect(roomsOf(template, given)).toEqual(rooms);
  });

  test('makes no more than it may', () => {
    const x = Array.from({ length: 1000 }, (_, index) => `${index}`);
    expect(roomsOf('{x}/{y}/{z}', { x, y: x, z: x }, 3)).toEqual(['0/0/0', '1/0/0', '2/0/0']);
    expect(roomsOf('{x}', { x }, 1000)).toHaveLength(1000);
    expect(roomsOf('{x}', { x }, 999)).toHaveLength(999);
    expect(roomsOf('{x}', { x }, 0)).toEqual([]);
  });

  test('{name} never leaves its segment, and distinct values never meet', () => {
    fc.assert(
      fc.property(hostileText(), hostileText(), (one, other) => {
        fc.pre(one !== '' && other !== '');
        const [first] = roomsOf('left/{x}/right', { x: one });
        const [second] = roomsOf('left/{x}/right', { x: other });
        expect(segmentsOf(first ?? '')).toEqual(['left', roomSegment(one), 'right']);
        expect(first === second).toBe(one === other);
      }),
    );
  });

  test('several values never meet either, whatever stands in them', () => {
    const pair = fc.tuple(hostileText(), hostileText());
    fc.assert(
      fc.property(pair, pair, ([a, b], [c, d]) => {
        fc.pre(a !== '' && b !== '' && c !== '' && d !== '');
        const first = roomsOf('{x}/-/{y}', { x: a, y: b });
        const second = roomsOf('{x}/-/{y}', { x: c, y: d });
        expect(first[0] === second[0]).toBe(a === c && b === d);
      }),
    );
  });

  test('a segment is undone by percent-decoding "/" and "%"', () => {
    fc.assert(
      fc.property(hostileText(), (value) => {
        const segment = roomSegment(value);
        expect(segment).not.toContain('/');
        expect(segment.replaceAll('%2F', '/').replaceAll('%25', '%')).toBe(value);
      }),
    );
  });

  test('{name*} never leaves its prefix', () => {
    fc.assert(
      fc.property(hostileText(), hostileText(), (tenant, value) => {
        fc.pre(tenant !== '' && value !== '');
        const rooms = roomsOf('tenants/{t}/{x*}', { t: tenant, x: value });
        expect(rooms).toEqual([`tenants/${roomSegment(tenant)}/${value}`]);
        expect(segmentsOf(rooms[0] ?? '').slice(0, 2)).toEqual(['tenants', roomSegment(tenant)]);
      }),
    );
  });

  test('a value of 1 MB stays in its segment', () => {
    const value = '../'.repeat(350_000);
    const [room] = roomsOf('a/{x}/b', { x: value });
    expect(segmentsOf(room ?? '')).toHaveLength(3);
  });

  test('a template is complete exactly when it makes a room', () => {
    const value = fc.oneof(hostileText(), fc.array(hostileText(), { maxLength: 3 }));
    fc.assert(
      fc.property(fc.option(value, { nil: undefined }), value, (x, y) => {
        const given = variablesOf({ ...(x === undefined ? {} : { x }), y });
        const template = templateOf('a/{x}/{y}');
        expect(expand(template, given, 100).length > 0).toBe(missingVariable(template, given) === undefined);
      }),
    );
  });
});

test('missingVariable names the first that has no value', () => {
  const template = templateOf('{a}/{b}/{c}');
  expect(missingVariable(template, variablesOf({ a: '1', b: '', c: [] }))).toBe('b');
  expect(missingVariable(template, variablesOf({ a: '1', b: '2', c: [] }))).toBe('c');
  expect(missingVariable(template, variablesOf({ a: '1', b: '2', c: ['', '3'] }))).toBeUndefined();
  expect(missingVariable(templateOf('plain'), new Map())).toBeUndefined();
});

test('below puts one template under another', () => {
  const template = below(templateOf('topics/{stream}'), templateOf('tenants/{t}/{stream}'));
  expect(template).toEqual(templateOf('topics/{stream}/tenants/{t}/{stream}'));
  expect(expand(template, variablesOf({ stream: 'a/b', t: '1' }), 2)).toEqual(['topics/a%2Fb/tenants/1/a%2Fb']);
});

test('a filler makes the room that the template makes, and none where that is for `expand`', () => {
  const value = fc.oneof(hostileText(), fc.array(hostileText(), { maxLength: 3 }));
  const texts = ['plain', 'a/b', '{x}', 'a/{x}/b', '{x}/{y}', 'a/{y}/{x*}', '{x}/-/{x}/c'];
  fc.assert(
    fc.property(fc.constantFrom(...texts), value, value, (text, x, y) => {
      const template = templateOf(text);
      const given = variablesOf({ x, y });
      const isSingle = [...template.variables].every((name) => typeof given.get(name) === 'string');
      const room = createFiller(template)(given);
      expect(room === undefined ? [] : [room]).toEqual(isSingle ? expand(template, given, 2) : []);
    }),
  );
});
