import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';

type Suite = typeof conformance;
type Case = NonNullable<Suite['tests']>[number]['original'];
type Json = Record<string, unknown>;

/** What conditions are made of; the other suites are about protocol buffers and extensions that are left out. */
const suites = [
  'basic',
  'comparisons',
  'conversions',
  'dynamic',
  'fields',
  'fp_math',
  'integer_math',
  'lists',
  'logic',
  'macros',
  'parse',
  'string',
];

/** Cases that are known not to hold, each with its reason. */
const exceptions: Readonly<Record<string, string>> = {
  field_access_slash: 'quoted field names are not read by the library: write claims["a/b"]',
  field_access_dash: 'quoted field names',
  has_field_slash: 'quoted field names',
  has_field_dash: 'quoted field names',
  has_field_dot: 'quoted field names',
  map_value_repeat_key_heterogeneous: 'the keys 0 and 0u of one map literal are not seen as equal',
};

const casesOf = (suite: Suite): Case[] => [
  ...(suite.tests ?? []).map((each) => each.original),
  ...(suite.suites ?? []).flatMap(casesOf),
];

/** A value of the conformance data in JavaScript; throws for those that only protocol buffers have. */
function javaScriptValue(value: Json): unknown {
  const [kind, content] = Object.entries(value)[0] ?? [];
  if (kind === 'int64Value') return BigInt(String(content));
  if (kind === 'boolValue' || kind === 'stringValue') return content;
  if (kind === 'doubleValue') return Number(content);
  if (kind === 'nullValue') return null;
  if (kind === 'listValue') return ((content as { values?: Json[] }).values ?? []).map(javaScriptValue);
  if (kind === 'mapValue') {
    const { entries = [] } = content as { entries?: { key: Json; value: Json }[] };
    return new Map(entries.map((entry) => [javaScriptValue(entry.key), javaScriptValue(entry.value)]));
  }
  throw new RangeError(`${kind} has no word in JSON`);
}

/** `undefined` when the case binds what only protocol buffers have. */
function scopeOf(bindings: Json): Record<string, unknown> | undefined {
  try {
    const entries = Object.entries(bindings).map(([name, binding]) => [
      name,
      javaScriptValue((binding as { value: Json }).value),
    ]);
    return Object.fromEntries(entries);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `true`, `false` or `error`; `undefined` for a case that is no condition or is about protocol buffers. */
function expectedOf(each: Case): string | undefined {
  if ('container' in each || 'checkOnly' in each || each.expr.includes('google.protobuf')) return undefined;
  if ('evalError' in each) return 'error';
  const value = each['value'] as Json | undefined;
  if (value === undefined) return 'true';
  return 'boolValue' in value ? String(value['boolValue']) : undefined;
}

function outcomeOf(each: Case, scope: Record<string, unknown>): string {
  const condition = compileCondition(each.expr);
  // A misspelt function is found when the config is read, not when it would have been called.
  if (!condition.ok) return condition.reason.startsWith('there is no function') ? 'unknown function' : 'error';
  const held = condition.value(scope);
  if (held.ok) return 'true';
  return held.reason.error ? 'error' : 'false';
}

test('conditions hold and fail as the CEL conformance data says', () => {
  const failures: string[] = [];
  let passed = 0;
  const cases = (conformance.suites ?? []).filter(({ name }) => suites.includes(name)).flatMap(casesOf);
  for (const each of cases) {
    const expected = expectedOf(each);
    const scope = scopeOf((each['bindings'] as Json | undefined) ?? {});
    if (expected === undefined || scope === undefined || (each.name ?? '') in exceptions) continue;
    const outcome = outcomeOf(each, scope);
    if (outcome === expected) passed += 1;
    else if (outcome !== 'unknown function') failures.push(`${each.name}: ${each.expr} is ${outcome}, not ${expected}`);
  }
  expect(failures).toEqual([]);
  // A run that reads no data must not pass.
  expect(passed).toBeGreaterThanOrEqual(550);
});
