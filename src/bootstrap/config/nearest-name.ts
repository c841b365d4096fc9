import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant: at most a third of its letters away, two at least. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const nearest = closest(name.toLowerCase(), known);
  const tolerance = Math.max(2, Math.floor(nearest.length / 3));
  return distance(name.toLowerCase(), nearest.toLowerCase()) <= tolerance ? nearest : undefined;
}
