import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const randomBytes = 16;
const poolBytes = 256 * randomBytes;
/** Where the random bytes of an id have what a counter begins with (RFC 9562 section 6.2, method 1). */
const counterAt = 6;
const counterMax = 0x7fff_ffff;

/**
 * Makes UUIDs of version 7 (RFC 9562 section 5.7), for events that come without an id. Those of one process sort in the order in
 * which they were made.
 */
function createEventIds(): () => string {
  // The system is asked for random bytes once for many ids: asking costs more than all else.
  const pool = new Uint8Array(poolBytes);
  const view = new DataView(pool.buffer);
  let at = poolBytes;
  let msecs = 0;
  let seq = 0;
  return () => {
    if (at === poolBytes) {
      randomFillSync(pool);
      at = 0;
    }
    const now = Date.now();
    if (now > msecs) {
      msecs = now;
      seq = view.getUint32(at + counterAt) & counterMax;
    } else if (seq === counterMax) {
      msecs += 1;
      seq = 0;
    } else {
      seq += 1;
    }
    const random = pool.subarray(at, at + randomBytes);
    at += randomBytes;
    return v7({ random, msecs, seq });
  };
}

export const eventId = createEventIds();
