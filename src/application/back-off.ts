/** Milliseconds, as all delays. */
export type BackOff = { readonly delayMsMin: number; readonly delayMsMax: number };

/**
 * The delay before a further try: doubling from `delayMsMin` up to `delayMsMax`, half of it at random so that many who
 * fail together do not come back together.
 *
 * @returns whole milliseconds.
 * @param tries how many have failed, from 1.
 * @param random from 0 up to 1.
 */
export function backOffDelayMs(backOff: BackOff, tries: number, random: number): number {
  const full = Math.min(backOff.delayMsMax, backOff.delayMsMin * 2 ** Math.min(tries - 1, 30));
  return Math.round(full / 2 + (full / 2) * random);
}
