import type { z } from 'zod';

/**
 * What is wrong with a value, in words that never hold the value itself. Where a schema has a message of its own zod
 * does not ask for one.
 */
export const describeIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : wrongType(issue.expected, issue.input);
    case 'invalid_value':
      return mustBeOneOf(issue.values);
    case 'too_small':
      return `must ${size(issue.origin, 'least', Number(issue.minimum), issue.inclusive)}`;
    case 'too_big':
      return `must ${size(issue.origin, 'most', Number(issue.maximum), issue.inclusive)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return `must be ${formatNames[issue.format] ?? `of the format ${issue.format}`}`;
    case 'invalid_union':
      return Array.isArray(issue.options) ? mustBeOneOf(issue.options) : anyOf(issue.errors ?? [], issue.input);
    case 'invalid_key':
      return `its name ${issue.issues?.[0]?.message ?? 'is not allowed here'}`;
    case 'unrecognized_keys':
      return 'unknown key';
    // Written by the schema itself, and kinds of values that a file cannot hold.
    case 'custom':
    case 'invalid_element':
      return undefined;
  }
};

const formatNames: Readonly<Record<string, string>> = {
  url: 'a URL',
  email: 'an e-mail address',
  uuid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  datetime: 'a date and time as in 2026-01-31T12:00:00Z',
};

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const typeName = (expected: string): string => typeNames[expected] ?? expected;

function wrongType(expected: string, input: unknown): string {
  const message = `expected ${typeName(expected)}, found ${found(input)}`;
  if (input === null && expected === 'object') return `${message}; write {} where all defaults are meant`;
  if (input === null) return `${message}; leave the key out for its default`;
  if (expected === 'string' && typeof input !== 'object') return `${message}; put it in quotes`;
  return message;
}

function found(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number' && !Number.isFinite(input)) return `${input}`;
  if (typeof input === 'number') return Number.isInteger(input) ? 'a whole number' : 'a number';
  return typeName(typeof input);
}

const mustBeOneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.map(String).join(', ')}`;

function size(origin: string, bound: 'least' | 'most', limit: number, inclusive: boolean | undefined): string {
  if (origin === 'string') {
    return bound === 'least' && limit === 1 ? 'not be empty' : `have at ${bound} ${limit} characters`;
  }
  if (origin === 'array' || origin === 'set') {
    return `have at ${bound} ${limit} ${limit === 1 ? 'item' : 'items'}`;
  }
  if (inclusive === false) return `be ${bound === 'least' ? 'more' : 'less'} than ${limit}`;
  return `be at ${bound} ${limit}`;
}

/** For a choice of which no alternative has the value's type. */
function anyOf(branches: readonly (readonly z.core.$ZodIssue[])[], input: unknown): string {
  const names = branches.flatMap(([issue]) => {
    if (issue?.code === 'invalid_type') return [typeName(issue.expected)];
    return issue?.code === 'invalid_value' ? issue.values.map(String) : [];
  });
  return names.length === 0 ? 'is not one of what may stand here' : `expected ${join(names)}, found ${found(input)}`;
}

const join = (names: readonly string[]): string => [...new Set(names)].join(' or ');
