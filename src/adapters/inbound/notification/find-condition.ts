import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { dateFields, documentFields, type NotificationDocument } from './notification-document.ts';

/** Whether a document is one that is looked for. */
export type FindCondition = (document: NotificationDocument) => boolean;

/** What a query may ask in all, and how deep it may nest: no question costs more than reading what is there. */
const [termsMax, depthMax] = [50, 4];

type Budget = { terms: number };
type Parsed = Verdict<FindCondition>;

/**
 * A bounded part of MongoDB's query language: equality, `$eq` `$ne` `$in` `$nin` `$exists` `$gt` `$gte` `$lt` `$lte` on
 * fields of a notification (and of its config: `config.task_id`), `$and`, `$or`. Nothing of it is ever code.
 */
export const parseFindCondition = (query: Readonly<Record<string, unknown>>): Parsed =>
  parseObject(query, 1, { terms: 0 });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseObject(query: Readonly<Record<string, unknown>>, depth: number, budget: Budget): Parsed {
  if (depth > depthMax) return refused(`is nested deeper than ${depthMax} levels`);
  return all(
    Object.entries(query).map(([name, value]) =>
      name === '$and' || name === '$or' ? parseList(name, value, depth, budget) : parseField(name, value, budget),
    ),
  );
}

function all(parts: readonly Parsed[]): Parsed {
  const wrong = parts.find((part) => !part.ok);
  if (wrong) return wrong;
  const conditions = parts.flatMap((part) => (part.ok ? [part.value] : []));
  return allowed((document) => conditions.every((condition) => condition(document)));
}

function parseList(name: '$and' | '$or', value: unknown, depth: number, budget: Budget): Parsed {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isObject)) {
    return refused(`${name} takes a list of conditions`);
  }
  const parts = value.map((each) => parseObject(each, depth + 1, budget));
  if (name === '$and') return all(parts);
  const wrong = parts.find((part) => !part.ok);
  if (wrong) return wrong;
  const conditions = parts.flatMap((part) => (part.ok ? [part.value] : []));
  return allowed((document) => conditions.some((condition) => condition(document)));
}

function parseField(name: string, value: unknown, budget: Budget): Parsed {
  if (name.startsWith('$')) return refused(`the operator "${name}" is not supported here; $and and $or are`);
  const [field = '', ...path] = name.split('.');
  if (!documentFields.includes(field) || (path.length > 0 && field !== 'config')) {
    return refused(`there is no field "${name}"; there are ${documentFields.join(', ')}, and config.NAME`);
  }
  const read = (document: NotificationDocument): unknown => path.reduce<unknown>(member, document[field]);
  const normal = dateFields.has(field) ? dateOf : (each: unknown) => each;
  const isOperators = isObject(value) && Object.keys(value).some((key) => key.startsWith('$'));
  const operators = isOperators ? Object.entries(value) : [['$eq', value] as const];
  return all(
    operators.map(([operator, operand]) => {
      budget.terms += Array.isArray(operand) ? Math.max(1, operand.length) : 1;
      if (budget.terms > termsMax) return refused(`asks for more than ${termsMax} things`);
      const test = parseOperator(operator, operand, normal);
      return test.ok ? allowed((document) => test.value(normal(read(document)))) : test;
    }),
  );
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/** Dates stand as text in the documents, and as text or milliseconds in queries. */
const dateOf = (value: unknown): unknown =>
  typeof value === 'string' || typeof value === 'number' ? new Date(value).getTime() : value;

type Test = (value: unknown) => boolean;

function parseOperator(operator: string, operand: unknown, normal: (value: unknown) => unknown): Verdict<Test> {
  const wanted = normal(operand);
  switch (operator) {
    case '$eq':
      return allowed((value) => isEqual(value, wanted));
    case '$ne':
      return allowed((value) => !isEqual(value, wanted));
    case '$in':
    case '$nin': {
      if (!Array.isArray(operand)) return refused(`${operator} takes a list`);
      const list = operand.map(normal);
      return allowed((value) => list.some((each) => isEqual(value, each)) === (operator === '$in'));
    }
    case '$exists':
      if (typeof operand !== 'boolean') return refused('$exists takes true or false');
      return allowed((value) => (value !== undefined) === operand);
    case '$gt':
      return allowed((value) => isOrdered(value, wanted, (a, b) => a > b));
    case '$gte':
      return allowed((value) => isOrdered(value, wanted, (a, b) => a >= b));
    case '$lt':
      return allowed((value) => isOrdered(value, wanted, (a, b) => a < b));
    case '$lte':
      return allowed((value) => isOrdered(value, wanted, (a, b) => a <= b));
    default:
      return refused(
        `the operator "${operator}" is not supported; $eq, $ne, $in, $nin, $exists, $gt, $gte, $lt and $lte are`,
      );
  }
}

/** As MongoDB has it: null is equal to what is absent, and a list to each of its items. */
function isEqual(value: unknown, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return value === null || value === undefined;
  if (Array.isArray(value) && !Array.isArray(wanted)) return value.some((each) => isEqual(each, wanted));
  return typeof wanted === 'object' ? JSON.stringify(value) === JSON.stringify(wanted) : value === wanted;
}

function isOrdered(
  value: unknown,
  wanted: unknown,
  holds: (a: string | number, b: string | number) => boolean,
): boolean {
  if (typeof value === 'number' && typeof wanted === 'number') return holds(value, wanted);
  return typeof value === 'string' && typeof wanted === 'string' && holds(value, wanted);
}
