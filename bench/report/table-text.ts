import type { Spread } from '../measure/statistics.ts';
import type { Column, Figure, ScenarioReport, TargetReport } from './scenario-report.ts';

/** A report in Markdown, its columns aligned. */
export function reportText({ title, columns, figures, targets, notes }: ScenarioReport): string {
  const head = ['', 'peer', ...columns.map((column) => column.title)];
  const rows = figures.map((figure) => [figure.situation, figure.peer, ...cellsOf(figure, columns)]);
  const parts = [`## ${title}`, tableText([head, ...rows])];
  if (targets.length > 0) parts.push(tableText([['target', 'value', 'limit', ''], ...targets.map(targetCells)]));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function cellsOf({ values, error }: Figure, columns: readonly Column[]): readonly string[] {
  const cells = columns.map(({ key, digits }) => spreadText(values[key], digits));
  return error === undefined ? cells : [`${error.split('\n')[0]}`, ...cells.slice(1)];
}

/** The median and, of several runs, the least and the greatest; nothing for what was not measured. */
export function spreadText(spread: Spread | undefined, digits: number): string {
  // What is no number is `null` in a kept result.
  if (!spread || !Number.isFinite(spread.median)) return '';
  const text = (value: number): string => value.toFixed(digits);
  const { median, min, max, values } = spread;
  return values.length > 1 ? `${text(median)} (${text(min)}-${text(max)})` : text(median);
}

const targetCells = ({ what, value, limit, is, met }: TargetReport): readonly string[] => [
  what,
  value.toFixed(2),
  `${is} ${limit}`,
  met ? 'met' : 'NOT MET',
];

function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)].join('\n');
}
