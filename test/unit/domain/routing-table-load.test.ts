import { describe, expect, test } from 'vitest';
import type { RoutingRule } from '../../../src/domain/routing-rule.ts';
import { createRoutingTable } from '../../../src/domain/routing-table.ts';
import { isolationOf, refusalReason, ruleOf, templatesOf } from '../../support/domain-fixtures.ts';

const isolation = isolationOf('Tenant-Id', 'tenant', 'tenants/{}', 'topics/{topic}/tenants/{}');
const problemsOf = (...rules: readonly Partial<RoutingRule>[]) =>
  refusalReason(createRoutingTable(rules.map(ruleOf), isolation));
const isAccepted = (rule: Partial<RoutingRule>, isolated = true) =>
  createRoutingTable([ruleOf(rule)], isolated ? isolation : undefined).ok;

describe('templates that no event could ever choose', () => {
  test('one behind another that needs no variable more', () => {
    const templates = templatesOf('tenants/{Tenant-Id}', 'tenants/{Tenant-Id}/users/{User-Id}');
    expect(problemsOf({ templates })).toEqual([
      {
        rule: 0,
        part: 'firstOf[1]',
        reason:
          '"tenants/{Tenant-Id}/users/{User-Id}" is never chosen: "tenants/{Tenant-Id}" stands before it and needs no ' +
          'variable more',
      },
    ]);
    expect(isAccepted({ templates, choice: 'eachOf' })).toBe(true);
    expect(isAccepted({ templates: templates.toReversed() })).toBe(true);
  });

  test('the same variables twice, and each dead template with the first that hides it', () => {
    const templates = templatesOf('{x}/{y}', '{y}', 'a/{y}', 'b/{x}/{y}/{z}', '{x}');
    const problems = refusalReason(createRoutingTable([ruleOf({ templates })]));
    expect(problems.map(({ part, reason }) => [part, /: "(.*?)" stands/.exec(reason)?.[1]])).toEqual([
      ['firstOf[2]', '{y}'],
      ['firstOf[3]', '{x}/{y}'],
    ]);
  });
});

test('a prefix that ends in {name*}, with isolation or without', () => {
  const rule = {
    templates: templatesOf('tenants/{Tenant-Id}'),
    alsoUnder: templatesOf('topics/{stream}', 'x/{rest*}'),
  };
  const problem = {
    rule: 0,
    part: 'alsoUnder[1]',
    reason: '"x/{rest*}" must not end in {name*}: rooms stand below it',
  };
  expect(problemsOf(rule)).toContainEqual(problem);
  expect(refusalReason(createRoutingTable([ruleOf(rule)]))).toEqual([problem]);
});

test('a narrowing name that no template uses', () => {
  const templates = templatesOf('tenants/{Tenant-Id}/users/{User-Id}', 'tenants/{Tenant-Id}');
  expect(problemsOf({ templates, narrowing: ['User-Id', 'Site-Id'] })).toEqual([
    { rule: 0, part: 'narrowing[1]', reason: 'no template uses {Site-Id}, so an event that carries it reaches nobody' },
  ]);
  expect(isAccepted({ templates, narrowing: ['User-Id'] })).toBe(true);
});

describe('templates that cross tenants', () => {
  test.each([
    ['tenants/{User-Id}'],
    ['tenants/42'],
    ['tenants/{Additional*}'],
    ['{x}/{Tenant-Id}'],
    ['topics/{stream}/tenants/{User-Id}'],
  ])('%s is refused', (text) => {
    const [problem, ...others] = problemsOf({ templates: templatesOf(text) });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ rule: 0, part: 'firstOf[0]' });
    expect(problem?.reason).toContain(`"${text}" could name another tenant's room`);
    expect(isAccepted({ templates: templatesOf(text) }, false)).toBe(true);
  });

  test('the parts are named as the config has them, all problems at once', () => {
    const problems = problemsOf(
      { templates: templatesOf('tenants/{Tenant-Id}') },
      {
        choice: 'eachOf',
        templates: templatesOf('tenants/{Tenant-Id}', 'tenants/{x}'),
        alsoUnder: templatesOf('topics/{stream}', 'tenants/{x}'),
        narrowing: ['y'],
      },
    );
    expect(problems.map(({ rule, part }) => `${rule} ${part}`)).toEqual([
      '1 narrowing[0]',
      '1 alsoUnder[1]',
      '1 eachOf[1]',
      '1 alsoUnder[0]',
      '1 alsoUnder[1]',
    ]);
  });

  test('a prefix that hides the tenant', () => {
    const templates = templatesOf('tenants/{Tenant-Id}');
    expect(problemsOf({ templates, alsoUnder: templatesOf('all') })).toEqual([
      {
        rule: 0,
        part: 'alsoUnder[0]',
        reason:
          '"all/tenants/{Tenant-Id}" does not hold {Tenant-Id}, so all tenants would share it; mark the rule ' +
          'withoutTenant if that is meant',
      },
    ]);
  });

  test('rooms for all need the mark, and rooms of a tenant must not have it', () => {
    expect(problemsOf({ templates: templatesOf('all/{x}') })).toEqual([
      {
        rule: 0,
        part: 'firstOf[0]',
        reason:
          '"all/{x}" does not hold {Tenant-Id}, so all tenants would share it; mark the rule withoutTenant if that is meant',
      },
    ]);
    expect(isAccepted({ templates: templatesOf('all/{x}'), withoutTenant: true })).toBe(true);
    expect(problemsOf({ templates: templatesOf('tenants/{Tenant-Id}'), withoutTenant: true })).toEqual([
      {
        rule: 0,
        part: 'firstOf[0]',
        reason: '"tenants/{Tenant-Id}" is a tenant\'s room, and the rule is marked withoutTenant',
      },
    ]);
    expect(isAccepted({ templates: templatesOf('all/{x}') }, false)).toBe(true);
    expect(isAccepted({ templates: templatesOf('tenants/{Tenant-Id}'), withoutTenant: true }, false)).toBe(true);
  });

  test('an event has one tenant', () => {
    const templates = templatesOf('tenants/{Tenant-Id}');
    const listed = { templates, lists: new Map([['Tenant-Id', ',']]) };
    expect(problemsOf(listed)).toEqual([
      { rule: 0, part: 'lists', reason: "{Tenant-Id} is the event's tenant, and an event has one tenant" },
    ]);
    expect(isAccepted(listed, false)).toBe(true);
    expect(isAccepted({ templates, lists: new Map([['x', ',']]) })).toBe(true);
  });
});

test('no rule at all is a table, too', () => {
  expect(createRoutingTable([], isolation).ok).toBe(true);
});
