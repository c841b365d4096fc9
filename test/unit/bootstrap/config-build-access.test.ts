import { expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { accessSettingsSchema } from '../../../src/adapters/settings-fields.ts';
import { buildAccess } from '../../../src/bootstrap/config/build-access.ts';
import { anonymous } from '../../../src/domain/principal.ts';
import { allowedValue } from '../../support/domain-fixtures.ts';

/** Whether a connection is let in by a condition and what its check says. */
function decision(require: string | undefined, member?: boolean): string {
  const settings = accessSettingsSchema.parse({ require, checks: ['member'] });
  const access = allowedValue(buildAccess(settings, { isolation: undefined, compile: compileCondition }));
  return access.mayConnect({
    principal: anonymous,
    variables: new Map(),
    checks: new Map(member === undefined ? [] : [['member', member]]),
  }).kind;
}

test.each([
  ['no condition', undefined, 'allow', 'deny'],
  ['a condition that does not read it', "!('x' in permissions)", 'allow', 'deny'],
  ['one that has its name in a text only', "!('check.member' in permissions)", 'allow', 'deny'],
  ['one that reads it', 'check.member || size(permissions) == 0', 'allow', 'allow'],
  ['one that reads it and wants no', '!check.member', 'deny', 'allow'],
])('a check beside %s', (_what, require, whenItAllows, whenItDenies) => {
  expect([decision(require, true), decision(require, false)]).toEqual([whenItAllows, whenItDenies]);
});

test.each([
  ["'x' in permissions && check.member", 'deny'],
  ["!('x' in permissions) || check.member", 'allow'],
  ['has(claims.x) && check.member', 'deny'],
  ['check.member', 'ask'],
  // Whether an answer is there is no way to read it.
  ['!has(check.member) || check.member', 'ask'],
  ['has(check.member) && check.member', 'ask'],
  ["!('member' in check) || check.member", 'ask'],
  ['check == {} || check.member', 'ask'],
  ["check['member'] || true", 'ask'],
  ['has({"a": check.member}.b) || check.member', 'ask'],
])('nobody is asked about what %s decides without: %s', (require, kind) => {
  expect(decision(require)).toBe(kind);
});
