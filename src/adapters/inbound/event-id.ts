import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const randomBytes = 16;
const poolBytes = 256 * randomBytes;

/** Makes UUIDs of version 7 (RFC 9562 section 5.7), for events that come without an id. */
function createEventIds(): () => string {
  // The system is asked for random bytes once for many ids: asking costs more than all else.
  const pool = new Uint8Array(poolBytes);
  let at = poolBytes;
  return () => {
    if (at === poolBytes) {
      randomFillSync(pool);
      at = 0;
    }
    at += randomBytes;
    return v7({ random: pool.subarray(at - randomBytes, at) });
  };
}

export const eventId = createEventIds();
