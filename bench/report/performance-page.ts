import { readFileSync, writeFileSync } from 'node:fs';
import type { Spread } from '../measure/statistics.ts';
import type { Figure, ScenarioReport, TargetReport } from './scenario-report.ts';
import { spreadText } from './table-text.ts';
import { medianAt } from './target.ts';

/** A kept result, as in `bench/results/`. */
export type KeptResult = Pick<ScenarioReport, 'columns' | 'figures' | 'targets'> & { readonly machine: object };

/** The result of a scenario. Throws where none is kept. */
export type FindResult = (name: string) => KeptResult;

/** What stands in docs/performance.md between `<!-- bench: … -->` and `<!-- /bench -->`. */
const block = /(<!-- bench: ([^\n]*?) -->\n).*?(<!-- \/bench -->)/gs;

/**
 * The page with each of its tables made anew from the results:
 *
 * - `targets NAME…`: what these scenarios are to reach
 * - `machine NAME`: what a scenario was measured on
 * - `pivot NAME KEY DIGITS`: peers down, situations across
 * - `rows NAME KEY:DIGITS…`: a line for each figure
 * - `memory NAME`: RSS beside heap and external, in kB
 */
export const performancePage = (page: string, find: FindResult): string =>
  page.replace(block, (_, begin: string, words: string, end: string) => `${begin}\n${tableOf(words, find)}\n\n${end}`);

const pageFile = new URL('../../docs/performance.md', import.meta.url);

const kept: FindResult = (name) =>
  JSON.parse(readFileSync(new URL(`../results/${name}.json`, import.meta.url), 'utf8')) as KeptResult;

/** Makes the tables of docs/performance.md anew from the results that are kept. */
export function updatePerformancePage(): void {
  writeFileSync(pageFile, performancePage(readFileSync(pageFile, 'utf8'), kept));
}

function tableOf(words: string, find: FindResult): string {
  const [kind = '', ...args] = words.split(' ');
  const [name = '', key = '', digits = '0'] = args;
  switch (kind) {
    case 'targets':
      return targetTable(args.flatMap((each) => find(each).targets));
    case 'machine':
      return `Machine: \`${JSON.stringify(find(name).machine)}\``;
    case 'pivot':
      return pivotTable(find(name).figures, ({ values, error }) => cellOf(values[key], Number(digits), error));
    case 'memory':
      return pivotTable(find(name).figures, memoryCell);
    case 'rows':
      return rowTable(find(name), args.slice(1));
    default:
      throw new Error(`docs/performance.md asks for "${words}", and there is no table of the kind "${kind}"`);
  }
}

const tableText = ([head = [], ...rows]: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const targetTable = (targets: readonly TargetReport[]): string =>
  tableText([
    ['target', 'measured', 'limit', ''],
    ...targets.map(({ what, value, limit, is, met }) => [
      what,
      value >= 100 ? value.toFixed(0) : value.toFixed(2),
      `${is} ${limit}`,
      met ? 'met' : '**not met**',
    ]),
  ]);

function pivotTable(figures: readonly Figure[], cell: (figure: Figure) => string): string {
  const situations = [...new Set(figures.map(({ situation }) => situation))];
  const peers = [...new Set(figures.map(({ peer }) => peer))];
  const cellAt = (peer: string, situation: string): string => {
    const figure = figures.find((each) => each.peer === peer && each.situation === situation);
    return figure ? cell(figure) : '';
  };
  return tableText([
    ['', ...situations],
    ...peers.map((peer) => [peer, ...situations.map((situation) => cellAt(peer, situation))]),
  ]);
}

/** @param wanted each `KEY:DIGITS`. */
function rowTable({ figures, columns }: KeptResult, wanted: readonly string[]): string {
  const chosen = wanted.map((each) => {
    const [key = '', digits = '0'] = each.split(':');
    return { key, digits: Number(digits), title: columns.find((column) => column.key === key)?.title ?? key };
  });
  return tableText([
    ['', 'peer', ...chosen.map(({ title }) => title)],
    ...figures.map(({ situation, peer, values, error }) => [
      situation,
      peer,
      ...chosen.map(({ key, digits }) => cellOf(values[key], digits, error)),
    ]),
  ]);
}

/** What was measured is left out where it does not count. */
function cellOf(spread: Spread | undefined, digits: number, error?: string): string {
  if (error !== undefined) return error === 'not installed' ? error : 'failed';
  return spreadText(spread, digits);
}

function memoryCell(figure: Figure): string {
  const kilobytes = (key: string): string => (medianAt([figure], { ...figure, key }) / 1000).toFixed(1);
  return figure.error === undefined ? `${kilobytes('rssBytes')} / ${kilobytes('heapBytes')}` : 'failed';
}
