import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../application/ports/clock.ts';

/**
 * Ids as MongoDB makes them, which is what clients of the original have seen: 24 hexadecimal digits, of which 8 are the
 * seconds, 10 this process's own and 6 a counter (https://www.mongodb.com/docs/manual/reference/method/ObjectId/).
 */
export function createObjectIds(clock: Clock): () => string {
  const own = randomBytes(5).toString('hex');
  let counter = 0;
  let last = 0;
  return () => {
    // Never back, so that ids stand in the order in which they were made.
    last = Math.max(last, Math.floor(clock.now() / 1000));
    counter = (counter + 1) % 0x100_0000;
    return `${last.toString(16).padStart(8, '0')}${own}${counter.toString(16).padStart(6, '0')}`;
  };
}
