import { z } from 'zod';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { chooseItems } from './choose-items.ts';
import { type ConfigNode, locate } from './config-tree.ts';
import { fieldShape, type JsonSchema } from './field-shape.ts';
import { findMistakes, type Mistake } from './find-mistakes.ts';
import { hideValues } from './hide-values.ts';
import { parseYaml } from './parse-yaml.ts';
import { type Finding, type Problem, pathText } from './problem.ts';
import type { Environment } from './reference.ts';
import { resolveReferences } from './resolve-references.ts';
import { type ConfigDraft, salvage } from './salvage.ts';

export type ConfigLoaderOptions<C> = {
  readonly schema: z.ZodType<C> & { readonly shape: Readonly<Record<string, z.ZodType>> };
  /** Looks for contradictions between sections, in as much of the config as is right by itself. */
  readonly check: (draft: ConfigDraft<C>) => readonly Finding[];
};

/**
 * Reads the text of a config. Every problem is reported at once, in the order of the file; none holds a value of the
 * environment.
 */
export type ConfigLoader<C> = (text: string, environment: Environment) => Verdict<C, readonly Problem[]>;

export function createConfigLoader<C>({ schema, check }: ConfigLoaderOptions<C>): ConfigLoader<C> {
  const shape = fieldShape(inputSchema(schema));
  return (text, environment) => {
    const parsed = parseYaml(text);
    if (!parsed.ok) return refused(located(parsed.reason, undefined));
    const { root, findings: left } = chooseItems(parsed.value.root, shape, environment);
    if (root.kind !== 'map') return refused(located([notSections], root));

    const resolved = resolveReferences(root, shape, environment);
    const { mistakes: all, data } = findMistakes(schema, resolved.value, shape);
    const mistakes = all.filter((mistake) => !isConsequence(mistake, resolved.findings));
    const draft = data === undefined ? salvage(schema.shape, resolved.value, mistakes) : withAbsent(schema.shape, data);
    const hide = (finding: Finding): Finding => hideValues(finding, resolved, shape);
    const findings = firstOfEachPath(
      [...parsed.value.findings, ...left, ...resolved.findings],
      mistakes.map(hide),
      check(draft as ConfigDraft<C>).map(hide),
    );
    return data !== undefined && findings.length === 0 ? allowed(data) : refused(located(findings, root));
  };
}

/** Nobody reads more of them. */
const problemsMax = 100;

const notSections: Finding = { path: [], message: 'expected sections, such as `sources:` and `endpoints:`' };

/** In a draft a section without a value is one that is not in the file; one that is not there is wrong. */
const withAbsent = (shape: object, data: unknown): unknown => ({
  ...Object.fromEntries(Object.keys(shape).map((key) => [key, undefined])),
  ...(typeof data === 'object' ? data : {}),
});

/** The schema as JSON Schema, of what a file may hold. */
export const inputSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** A field without a value is also missing to the rules of its object. */
const isConsequence = ({ code, path }: Mistake, unresolved: readonly Finding[]): boolean =>
  code === 'custom' && unresolved.some((each) => pathText(each.path.slice(0, -1)) === pathText(path));

/** What one step has found wrong is missing to the next ones, which is no second mistake. */
function firstOfEachPath(...steps: readonly (readonly Finding[])[]): readonly Finding[] {
  const findings: Finding[] = [];
  for (const step of steps) {
    const known = new Set(findings.map(({ path }) => pathText(path)));
    findings.push(...step.filter(({ path }) => !known.has(pathText(path))));
  }
  return findings;
}

function located(findings: readonly Finding[], root: ConfigNode | undefined): readonly Problem[] {
  const problems = findings.map(({ path, at, message, suggestion }) => {
    const place = typeof at === 'object' ? at : root ? locate(root, path, at) : { line: 1, column: 1 };
    return { path: pathText(path), ...place, message, suggestion };
  });
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const next = sorted[problemsMax];
  if (!next) return sorted;
  const { line, column } = next;
  const more = { path: '', line, column, message: `and ${sorted.length - problemsMax} more problems from here on` };
  return [...sorted.slice(0, problemsMax), more];
}
