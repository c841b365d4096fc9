import type { Problem } from './problem.ts';

/** One line a problem, as compilers write them: `FILE:LINE:COLUMN  path: message (did you mean "name"?)`. */
export function describeProblems(file: string, problems: readonly Problem[]): string {
  return problems
    .map(({ line, column, path, message, suggestion }) => {
      const place = path === '' ? '' : `${path}: `;
      const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
      return `${file}:${line}:${column}  ${place}${message}${hint}`;
    })
    .join('\n');
}
