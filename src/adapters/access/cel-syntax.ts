import type { parse } from '@bufbuild/cel';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

export type CelSyntax = ReturnType<typeof parse>;
type Node = CelSyntax['expr'];

/** What an expression reads and calls, without what its own macros name. */
export type CelReferences = { readonly names: ReadonlySet<string>; readonly functions: ReadonlySet<string> };

export const celTextLengthMax = 4096;
export const celDepthMax = 64;
/** `exists`, `all`, `map` … inside of each other. The library has no limit of run time; this bounds it by the square. */
export const celNestedMacrosMax = 2;

/** The names of types, which an expression may read without anybody having given them. */
const typeNames = new Set(['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint']);

type Walk = { readonly names: Set<string>; readonly functions: Set<string> };
/** Where the walk is: how deep, within how many macros, and which names those have made. */
type Place = { readonly depth: number; readonly macros: number; readonly own: ReadonlySet<string> };

/** Refuses what is too deep or not meant to be used in a condition. */
export function celReferences(syntax: CelSyntax): Verdict<CelReferences> {
  const walk: Walk = { names: new Set(), functions: new Set() };
  const problem = visit(syntax.expr, { depth: 0, macros: 0, own: typeNames }, walk);
  return problem === undefined ? allowed(walk) : refused(problem);
}

function visit(node: Node | undefined, place: Place, walk: Walk): string | undefined {
  if (node === undefined) return undefined;
  if (place.depth > celDepthMax) return `it is nested deeper than ${celDepthMax} levels`;
  const inner = { ...place, depth: place.depth + 1 };
  const { exprKind } = node;
  switch (exprKind.case) {
    case 'identExpr':
      if (!place.own.has(exprKind.value.name)) walk.names.add(exprKind.value.name);
      return undefined;
    case 'selectExpr':
      return visit(exprKind.value.operand, inner, walk);
    case 'callExpr':
      walk.functions.add(exprKind.value.function);
      return visitAll([exprKind.value.target, ...exprKind.value.args], inner, walk);
    case 'listExpr':
      return visitAll(exprKind.value.elements, inner, walk);
    case 'structExpr':
      if (exprKind.value.messageName !== '') return `"${exprKind.value.messageName}" is no type that it can make`;
      return visitAll(exprKind.value.entries.flatMap(entryNodes), inner, walk);
    case 'comprehensionExpr': {
      if (place.macros === celNestedMacrosMax) return `more than ${celNestedMacrosMax} macros stand in each other`;
      const { iterRange, accuInit, iterVar, iterVar2, accuVar, loopCondition, loopStep, result } = exprKind.value;
      const own = new Set([...place.own, iterVar, iterVar2, accuVar]);
      return (
        visitAll([iterRange, accuInit], inner, walk) ??
        visitAll([loopCondition, loopStep, result], { ...inner, macros: place.macros + 1, own }, walk)
      );
    }
    case 'constExpr':
    case undefined:
      return undefined;
  }
}

function visitAll(nodes: readonly (Node | undefined)[], place: Place, walk: Walk): string | undefined {
  for (const node of nodes) {
    const problem = visit(node, place, walk);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

type StructEntry = Extract<Node['exprKind'], { case: 'structExpr' }>['value']['entries'][number];

const entryNodes = ({ keyKind, value }: StructEntry): readonly (Node | undefined)[] =>
  keyKind.case === 'mapKey' ? [keyKind.value, value] : [value];
