import { type CelError, type CelInput, type CelValue, celEnv, isCelError, isCelList, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import type { Scope } from '../../domain/condition.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { type CelReferences, type CelSyntax, celReferences, celTextLengthMax } from './cel-syntax.ts';
import { celValue } from './cel-value.ts';

/** A compiled expression. Refused with a reason that holds no value of the scope. Never throws. */
export type CelExpression = (scope: Scope) => Verdict<CelValue>;

/** Immutable: standard functions and those of the strings extension. */
const environment = celEnv({ funcs: strings });

/**
 * Standard CEL and its string functions. `matches` runs in linear time (RE2), which matters where clients choose the text.
 *
 * @param knownNames the names that may be read at the top level; without them every name is allowed.
 * @returns the expression, or why it cannot be one, with the character it is about where that is known.
 */
export function compileExpression(text: string, knownNames?: readonly string[]): Verdict<CelExpression> {
  if (text.length > celTextLengthMax) return refused(`it has more than ${celTextLengthMax} characters`);
  try {
    return planExpression(text, parse(text), knownNames);
  } catch (error) {
    return refused(parseProblem(error));
  }
}

function planExpression(text: string, syntax: CelSyntax, knownNames?: readonly string[]): Verdict<CelExpression> {
  const references = celReferences(syntax);
  if (!references.ok) return references;
  const unknown = unknownReference(references.value, knownNames);
  if (unknown !== undefined) return refused(unknown);
  const evaluate = plan(environment, syntax);
  const names = [...references.value.names];
  return allowed((scope) => {
    try {
      const bound = bindings(names, scope);
      const result = withoutStackTraces(() => evaluate(bound));
      return isCelError(result) ? refused(runProblem(result, text, syntax)) : allowed(result);
    } catch {
      return refused(`${excerpt(text, 0)}: it cannot be evaluated`);
    }
  });
}

/**
 * An expression that reads what is not there ends in an error of the library, whose stack trace nobody reads, and which
 * costs more than all else here. There are many: what a publisher may is asked before there is an event, too.
 */
function withoutStackTraces<T>(evaluate: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return evaluate();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** The items of a list of text; `undefined` for every other result. */
export function textList(result: CelValue): readonly string[] | undefined {
  if (!isCelList(result)) return undefined;
  const items = [...result];
  return items.every((item) => typeof item === 'string') ? items : undefined;
}

/** Operators are written `_&&_`, `!_`, `@in`, and are there whether or not they are functions of the library. */
const isFunctionName = (name: string): boolean => /^[A-Za-z]/.test(name);

function unknownReference(references: CelReferences, knownNames?: readonly string[]): string | undefined {
  for (const name of references.names) {
    if (knownNames && !knownNames.includes(name)) {
      return `there is no "${name}" here; it may read ${[...knownNames].sort().join(', ')}`;
    }
  }
  for (const name of references.functions) {
    if (isFunctionName(name) && environment.funcs.find(name) === undefined) return `there is no function "${name}"`;
  }
  return undefined;
}

function bindings(names: readonly string[], scope: Scope): Record<string, CelInput> {
  const bound: Record<string, CelInput> = Object.create(null);
  for (const name of names) {
    if (Object.hasOwn(scope, name)) bound[name] = celValue(scope[name]);
  }
  return bound;
}

const syntaxErrorMessage = /^<input>:(\d+):(\d+): found (.+?) but expecting /s;

function parseProblem(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deep';
  const syntaxError = error instanceof Error ? syntaxErrorMessage.exec(error.message) : null;
  if (syntaxError === null) return 'it cannot be read';
  const [, line, column, found] = syntaxError;
  return `at line ${line}, character ${column}: ${found} is not expected there`;
}

/** The library's own messages quote values; these do not, except for those that name nothing but types. */
function runProblem(error: CelError, text: string, syntax: CelSyntax): string {
  const position = syntax.sourceInfo?.positions[String(error.exprId)];
  return `${excerpt(text, position ?? 0)}: ${problemKind(error.message)}`;
}

function problemKind(message: string): string {
  if (message.startsWith('field not found')) return 'what it reads is absent';
  if (message.startsWith('unresolved attribute')) return 'what it reads is absent';
  if (message.startsWith('found no matching overload')) return message;
  if (message.startsWith('index ')) return 'the list has no such item';
  return 'it cannot be evaluated with this value';
}

const excerptLengthMax = 60;

function excerpt(text: string, position: number): string {
  const part = text.slice(position, position + excerptLengthMax);
  return `at character ${position + 1}, "${part}${position + excerptLengthMax < text.length ? '…' : ''}"`;
}
