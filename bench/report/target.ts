import { ratioOf, type Spread } from '../measure/statistics.ts';
import type { Figure, TargetReport } from './scenario-report.ts';

export type Place = { readonly situation: string; readonly peer: string; readonly key: string };

/** The median of a figure; not a number where it was not measured or does not count. */
export const medianAt = (figures: readonly Figure[], place: Place): number => spreadAt(figures, place)?.median ?? NaN;

/** How many times a figure of the other peer it is, in the median of the rounds. */
export const ratioAt = (figures: readonly Figure[], place: Place, other: string): number =>
  ratioOf(spreadAt(figures, place), spreadAt(figures, { ...place, peer: other })).median;

/** Each figure with its ratios to those of other peers in the same situation, which are given by the key of the ratio. */
export const withRatios = (
  figures: readonly Figure[],
  key: string,
  others: Readonly<Record<string, string | undefined>>,
): readonly Figure[] =>
  figures.map((figure) => {
    const ratios = Object.entries(others).flatMap(([name, peer]) => {
      const other = peer === undefined ? undefined : spreadAt(figures, { ...figure, peer, key });
      return other ? [[name, ratioOf(figure.values[key], other)] as const] : [];
    });
    return { ...figure, values: { ...figure.values, ...Object.fromEntries(ratios) } };
  });

function spreadAt(figures: readonly Figure[], { situation, peer, key }: Place): Spread | undefined {
  const figure = figures.find((each) => each.situation === situation && each.peer === peer);
  return figure?.error === undefined ? figure?.values[key] : undefined;
}

/** A target for a value, or for the ratio of two; none where either is lacking. */
export function target(what: string, value: number, is: TargetReport['is'], limit: number): readonly TargetReport[] {
  if (!Number.isFinite(value)) return [];
  return [{ what, value, limit, is, met: is === 'at most' ? value <= limit : value >= limit }];
}
