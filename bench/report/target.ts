import type { Figure, TargetReport } from './scenario-report.ts';

export type Place = { readonly situation: string; readonly peer: string; readonly key: string };

/** The median of a figure; not a number where it was not measured or does not count. */
export function medianAt(figures: readonly Figure[], { situation, peer, key }: Place): number {
  const figure = figures.find((each) => each.situation === situation && each.peer === peer);
  return figure?.error === undefined ? (figure?.values[key]?.median ?? NaN) : NaN;
}

/** A target for a value, or for the ratio of two; none where either is lacking. */
export function target(what: string, value: number, is: TargetReport['is'], limit: number): readonly TargetReport[] {
  if (!Number.isFinite(value)) return [];
  return [{ what, value, limit, is, met: is === 'at most' ? value <= limit : value >= limit }];
}
