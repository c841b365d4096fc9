import type { Presented } from './ports/admission.ts';

/** JavaScript clients write absent values as these texts (hiiretail section 2: the query on the wire). */
const absentTexts: ReadonlySet<string> = new Set(['', 'undefined', 'null']);

/** What is really given at a place. */
export const presentTexts = (presented: Presented, place: string): readonly string[] =>
  presented.read(place).filter((text) => !absentTexts.has(text));
