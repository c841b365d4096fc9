/** What a run leaves out for want of a broker, and what was tried to get one. */
export type MissingBroker = { readonly notTested: string; readonly reasons: readonly string[] };

/** For the end of the run; empty where nothing is missing. */
export const describeMissing = (missing: readonly MissingBroker[]): string =>
  missing
    .map(({ notTested, reasons }) => [`NOT TESTED: ${notTested}.`, ...reasons.map((reason) => `  - ${reason}`)])
    .map((lines) => `${lines.join('\n')}\n`)
    .join('');

/** Where CI is set, nothing may be left out: throws what `describeMissing` says. */
export function refuseInCi(summary: string, { CI = '' }: NodeJS.ProcessEnv): void {
  if (summary === '' || CI === '' || CI === 'false') return;
  throw new Error(`CI is set, so that nothing may be left out.\n${summary}`);
}
