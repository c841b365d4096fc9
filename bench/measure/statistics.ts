/** The median of several runs, the least and the greatest of them, and each in the order of the rounds. */
export type Spread = {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly values: readonly number[];
};

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  return { median: median(sorted), min: sorted.at(0) ?? NaN, max: sorted.at(-1) ?? NaN, values };
}

/**
 * The ratios of two, round by round: what the machine does meanwhile meets both of a round, and only some rounds. Where there is
 * not one of each for every round there is none.
 */
export function ratioOf(one: Spread | undefined, other: Spread | undefined): Spread {
  if (!one || !other || one.values.length !== other.values.length) return spreadOf([]);
  return spreadOf(one.values.map((value, round) => value / (other.values[round] ?? NaN)));
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
