/** The median of several runs, and the least and the greatest of them. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number; readonly runs: number };

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  return { median: median(sorted), min: sorted.at(0) ?? NaN, max: sorted.at(-1) ?? NaN, runs: sorted.length };
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The least value that at least this share of all are not above (nearest rank). @param sorted ascending. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? NaN;
}
