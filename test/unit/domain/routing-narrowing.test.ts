import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RoomTemplate } from '../../../src/domain/room-template.ts';
import { createRoutingTable } from '../../../src/domain/routing-table.ts';
import { refused } from '../../../src/domain/verdict.ts';
import { eventOf, routingOf, ruleOf, templateOf, templatesOf } from '../../support/domain-fixtures.ts';

describe('an event that names a narrower target', () => {
  const templates = templatesOf('{t}/users/{user}', '{t}/sites/{site}', '{t}');
  const rule = ruleOf({ templates, narrowing: ['user', 'site'] });

  test.each([
    [{ t: '1' }, ['1']],
    [{ t: '1', user: 'u' }, ['1/users/u']],
    [{ t: '1', site: 's' }, ['1/sites/s']],
    [{ t: '1', user: 'u', site: 's' }, ['1/users/u']],
  ])('%o reaches %o', (attributes, rooms) => {
    expect(routingOf([rule]).decide(eventOf(attributes))).toMatchObject({ kind: 'routed', rooms });
  });

  test.each([
    [{ user: 'u' }, 'user'],
    [{ t: '1', user: '' }, 'user'],
    [{ t: '', user: 'u', site: 's' }, 'user, site'],
    [{ t: '1', user: 'u', site: '' }, 'site'],
  ])('%o reaches nobody, because of %s', (attributes, names) => {
    expect(routingOf([rule]).decide(eventOf(attributes))).toMatchObject({
      kind: 'unroutable',
      cause: 'narrowing',
      reason: `the event carries ${names}, which no complete template uses`,
    });
  });

  test('a list with nothing in it is no target, and no reason to reach more', () => {
    const listed = ruleOf({ ...rule, lists: new Map([['user', ',']]) });
    expect(routingOf([listed]).decide(eventOf({ t: '1', user: ' , ' }))).toMatchObject({ cause: 'narrowing' });
  });

  test('a target that is no text is a target all the same', () => {
    const event = eventOf({ t: '1' }, { unreadable: new Set(['user']) });
    expect(routingOf([rule]).decide(event)).toMatchObject({ kind: 'unroutable', cause: 'narrowing' });
    const other = eventOf({ t: '1' }, { unreadable: new Set(['other']) });
    expect(routingOf([rule]).decide(other)).toMatchObject({ kind: 'routed', rooms: ['1'] });
    expect(routingOf([rule]).decide(eventOf({ t: '1' }))).toMatchObject({ kind: 'routed', rooms: ['1'] });
  });

  test('an attribute narrows also where a part of the key stands above it', () => {
    const keyed = ruleOf({ ...rule, keyParts: ['user'] });
    expect(routingOf([keyed]).decide(eventOf({ t: '1' }))).toMatchObject({ rooms: ['1'] });
    expect(routingOf([keyed]).decide(eventOf({ t: '1' }, { key: 'u' }))).toMatchObject({ rooms: ['1/users/u'] });
    expect(routingOf([keyed]).decide(eventOf({ t: '1', user: 'u' }))).toMatchObject({ cause: 'narrowing' });
  });

  test('what one rule cannot narrow, no other rule widens; every name is said once', () => {
    const wide = ruleOf({ name: 'wide', templates: templatesOf('{t}/all') });
    const event = eventOf({ t: '1', user: '' });
    for (const rules of [
      [rule, wide],
      [wide, rule],
      [rule, wide, rule],
    ]) {
      const decision = routingOf(rules).decide(event);
      expect(decision).toMatchObject({
        cause: 'narrowing',
        reason: 'the event carries user, which no complete template uses',
      });
      expect(decision.rules).toHaveLength(rules.length);
    }
  });

  test('a rule whose condition does not hold narrows nothing', () => {
    const skipped = ruleOf({ ...rule, when: () => refused({ error: false, text: 'no' }) });
    const wide = ruleOf({ templates: templatesOf('{t}/all') });
    expect(routingOf([skipped, wide]).decide(eventOf({ t: '1', user: '' }))).toMatchObject({ rooms: ['1/all'] });
  });

  test('a rule whose condition cannot be evaluated stops an event that names what it narrows', () => {
    const broken = ruleOf({ ...rule, when: () => refused({ error: true, text: 'no such attribute' }) });
    const wide = ruleOf({ templates: templatesOf('{t}/all') });
    const table = routingOf([broken, wide]);
    expect(table.decide(eventOf({ t: '1', user: 'u' }))).toMatchObject({
      cause: 'narrowing',
      rules: [{ kind: 'skipped', error: true, reason: 'no such attribute' }, { kind: 'contributed' }],
    });
    expect(table.decide(eventOf({ t: '1' }))).toMatchObject({ rooms: ['1/all'] });
  });

  test('with eachOf, too, a name that no complete template uses stops the event', () => {
    const each = ruleOf({ ...rule, choice: 'eachOf' });
    expect(routingOf([each]).decide(eventOf({ t: '1', user: 'u' }))).toMatchObject({ rooms: ['1/users/u', '1'] });
    expect(routingOf([each]).decide(eventOf({ t: '1', user: '' }))).toMatchObject({ cause: 'narrowing' });
  });
});

describe('over random rules', () => {
  const names = ['a', 'b', 'c', 'd'] as const;
  const namesOfTemplates = fc.uniqueArray(fc.subarray([...names]), {
    minLength: 1,
    maxLength: 6,
    selector: (each) => each.join(),
  });
  const templatesOfRule = fc
    .tuple(namesOfTemplates, fc.boolean())
    .map(([all, sorted]) => (sorted ? all.toSorted((one, other) => other.length - one.length) : all))
    .map((all) => all.map((each) => ['room', ...each.map((name) => `${name}/{${name}}`)].join('/')));
  const value = fc.constantFrom('1', 'x/y', '..', '');
  const attributes: fc.Arbitrary<Record<string, string>> = fc.record(
    { a: value, b: value, c: value, d: value },
    { requiredKeys: [] },
  );
  const usesMore = (one: RoomTemplate, other: RoomTemplate) =>
    one.variables.size > other.variables.size && other.variables.isSubsetOf(one.variables);

  test('firstOf with narrowing: a message that names a narrower target never reaches a wider room', {
    timeout: 60_000,
  }, () => {
    const seen = { refused: 0, routed: 0, unroutable: 0, narrowed: 0 };
    fc.assert(
      fc.property(templatesOfRule, fc.subarray([...names]), attributes, (texts, narrowing, given) => {
        const table = createRoutingTable([ruleOf({ templates: templatesOf(...texts), narrowing })]);
        if (!table.ok) {
          seen.refused += 1;
          return;
        }
        const decision = table.value.decide(eventOf(given));
        seen[decision.kind] += 1;
        const complete = texts.map(templateOf).filter((each) => [...each.variables].every((name) => given[name]));
        const carried = narrowing.filter((name) => name in given);
        const isMet = carried.every((name) => complete.some((template) => template.variables.has(name)));
        const first = complete[0];
        expect(decision.kind === 'routed').toBe(isMet && first !== undefined);
        if (decision.kind !== 'routed' || !first) return;
        expect(decision.rules).toEqual([{ rule: 'rule', kind: 'contributed', templates: [first.text] }]);
        // Nothing complete names more than what was chosen does: that would have been the narrower room.
        expect(complete.filter((template) => usesMore(template, first))).toEqual([]);
        // A name whose templates all stand first is in the room whenever the event carries it.
        for (const name of carried) {
          const uses = texts.map((text) => text.includes(`{${name}}`));
          if (uses.lastIndexOf(true) > uses.indexOf(false) && uses.includes(false)) continue;
          seen.narrowed += 1;
          expect(decision.rooms).toEqual([expect.stringContaining(`/${name}/`)]);
        }
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.routed, seen.unroutable, seen.narrowed)).toBeGreaterThan(100);
    expect(seen.refused).toBeLessThan(1500);
  });
});
