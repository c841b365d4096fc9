import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coverage, isRoomOf, parseRoomShape, tenantsOfRoom } from '../../../src/domain/isolation.ts';
import { roomSegment } from '../../../src/domain/room.ts';
import { expand } from '../../../src/domain/room-template.ts';
import { allowedValue, isolationOf, refusalReason, templateOf } from '../../support/domain-fixtures.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { roomShapeText, roomTemplateText } from '../../support/routing-arbitraries.ts';

const shapesOf = (...texts: readonly string[]) => isolationOf('T', 'tenant', ...texts).shapes;

describe('parseRoomShape', () => {
  test('takes a shape apart', () => {
    expect(allowedValue(parseRoomShape('topics/{topic}/tenants/{}'))).toEqual({
      text: 'topics/{topic}/tenants/{}',
      segments: [
        { kind: 'literal', text: 'topics' },
        { kind: 'any' },
        { kind: 'literal', text: 'tenants' },
        { kind: 'tenant' },
      ],
    });
  });

  test.each([
    ['', '"" has an empty segment'],
    ['a//{}', '"a//{}" has an empty segment'],
    ['{}/', '"{}/" has an empty segment'],
    ['a/b', '"a/b" must name the tenant\'s segment {} exactly once'],
    ['{}/{}', '"{}/{}" must name the tenant\'s segment {} exactly once'],
    ['a/{x}', '"a/{x}" must name the tenant\'s segment {} exactly once'],
    ['a/{x*}/{}', 'segment "{x*}" of "a/{x*}/{}" must be plain text, {name} or {}'],
    ['a{}/{}', 'segment "a{}" of "a{}/{}" must be plain text, {name} or {}'],
    ['{a}{b}/{}', 'segment "{a}{b}" of "{a}{b}/{}" must be plain text, {name} or {}'],
    ['a}/{}', 'segment "a}" of "a}/{}" must be plain text, {name} or {}'],
    ['{}/{a', 'segment "{a" of "{}/{a" must be plain text, {name} or {}'],
  ])('refuses "%s" and says why', (text, reason) => {
    expect(refusalReason(parseRoomShape(text))).toBe(reason);
  });

  test.each(['{}', 'tenants/{}', '{}/users', '{x}/{}/{y}', 'sites/{}/*'])('takes %s', (text) => {
    expect(allowedValue(parseRoomShape(text)).text).toBe(text);
  });
});

describe('coverage', () => {
  const shapes = ['tenants/{}', 'topics/{topic}/tenants/{}'];

  test.each([
    ['tenants/{T}', 'tenant'],
    ['tenants/{T}/users/{U}', 'tenant'],
    ['tenants/{T}/{rest*}', 'tenant'],
    ['topics/{S}/tenants/{T}', 'tenant'],
    ['topics/fixed/tenants/{T}/{x}', 'tenant'],
    ['topics/{T}/tenants/{T}', 'tenant'],
    ['tenants', 'common'],
    ['{x}', 'common'],
    ['public/{x}', 'common'],
    ['public/{x*}', 'common'],
    ['topics/{S}', 'common'],
    ['topics/{S}/tenants', 'common'],
    ['topics/{S}/all/{T}', 'common'],
    ['public/tenants/{T}', 'common'],
  ])('%s is for a %s', (template, expected) => {
    expect(allowedValue(coverage(templateOf(template), 'T', shapesOf(...shapes)))).toBe(expected);
  });

  test.each([
    ['tenants/{U}', 'tenants/{}'],
    ['tenants/42', 'tenants/{}'],
    ['tenants/{rest*}', 'tenants/{}'],
    ['{x}/{y}', 'tenants/{}'],
    ['{x}/{T}', 'tenants/{}'],
    ['{x}/{y*}', 'tenants/{}'],
    ['tenants/{U}/users/{T}', 'tenants/{}'],
    ['topics/{S}/tenants/{U}', 'topics/{topic}/tenants/{}'],
    ['topics/{S}/tenants/{x*}', 'topics/{topic}/tenants/{}'],
    ['topics/{S}/{x}/{T}', 'topics/{topic}/tenants/{}'],
    ['topics/{S}/{x*}', 'topics/{topic}/tenants/{}'],
    ['topics/{x*}', 'topics/{topic}/tenants/{}'],
  ])('%s could cross %s', (template, shape) => {
    expect(refusalReason(coverage(templateOf(template), 'T', shapesOf(...shapes)))).toBe(
      `"${template}" could name another tenant's room: rooms of the shape "${shape}" must have {T} where {} stands ` +
        'and the same plain text elsewhere',
    );
  });

  test('one shape that is crossed is enough, whatever the others say', () => {
    const both = shapesOf('tenants/{}', 'tenants/{x}/sites/{}');
    expect(coverage(templateOf('tenants/{T}/users/{U}'), 'T', both)).toEqual({ ok: true, value: 'tenant' });
    expect(coverage(templateOf('tenants/{T}/sites/{T}'), 'T', both)).toEqual({ ok: true, value: 'tenant' });
    expect(coverage(templateOf('tenants/{T}/sites/{S}'), 'T', both).ok).toBe(false);
    expect(coverage(templateOf('tenants/{T}/{rest*}'), 'T', both).ok).toBe(false);
  });

  test('without shapes everything is common', () => {
    expect(coverage(templateOf('tenants/{x}'), 'T', [])).toEqual({ ok: true, value: 'common' });
  });

  test('keeps what it says: no value at all makes a room of the wrong kind', { timeout: 60_000 }, () => {
    const values = fc.record({ T: hostileText(), U: hostileText(), x: hostileText() });
    const shapeTexts = fc.uniqueArray(roomShapeText(), { minLength: 1, maxLength: 3 });
    const seen = { tenant: 0, common: 0, refused: 0 };
    fc.assert(
      fc.property(roomTemplateText(['T', 'U', 'x']), shapeTexts, values, (text, texts, given) => {
        const covering = shapesOf(...texts);
        const covered = coverage(templateOf(text), 'T', covering);
        seen[covered.ok ? covered.value : 'refused'] += 1;
        if (!covered.ok) return;
        for (const room of expand(templateOf(text), new Map(Object.entries(given)), 10)) {
          const tenants = tenantsOfRoom(room, covering);
          if (covered.value === 'common') expect(tenants).toEqual([]);
          else expect(new Set(tenants)).toEqual(new Set([roomSegment(given.T)]));
        }
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.tenant, seen.common, seen.refused)).toBeGreaterThan(50);
  });
});

test.each([
  ['tenants/42', ['42']],
  ['tenants/42/users/7', ['42']],
  ['tenants/a%2Fb', ['a%2Fb']],
  ['tenants/', ['']],
  ['tenants', []],
  ['tenant/42', []],
  ['topics/x/tenants/43/y', ['43']],
  ['topics/x/tenants', []],
  ['topics/x/users/43', []],
  ['tenants/42/sites/9', ['42', '9']],
])('the tenants of %s are %o', (room, tenants) => {
  const shapes = shapesOf('tenants/{}', 'topics/{topic}/tenants/{}', 'tenants/{x}/sites/{}');
  expect(tenantsOfRoom(room, shapes)).toEqual(tenants);
});

test.each([
  ['tenants/42', ['42'], true],
  ['tenants/42', ['43'], false],
  ['tenants/a%2Fb', ['a/b'], true],
  ['tenants/a%2Fb', ['a%2Fb'], false],
  ['tenants/42', ['42', '43'], false],
  ['tenants/42', [], false],
  ['public', [], true],
  ['public', ['42'], false],
  ['public', ['42', '43'], false],
  ['tenants/42/sites/42', ['42'], true],
  ['tenants/42/sites/43', ['42'], false],
])('%s is for those of %o: %o', (room, tenants, expected) => {
  const shapes = shapesOf('tenants/{}', 'tenants/{x}/sites/{}');
  expect(isRoomOf(room, new Set(tenants), shapes)).toBe(expected);
});
