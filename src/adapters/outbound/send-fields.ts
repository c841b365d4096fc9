import { z } from 'zod';
import { wholeNumber } from './endpoint-fields.ts';

/** How an endpoint sends: the same for all of them. */
export const sendFields = {
  sendQueueBytesMax: wholeNumber(1024, 1_000_000_000)
    .default(1_048_576)
    .describe(
      'A client that is owed more than this, because it does not read, is cut and comes back. What comes in one go is ' +
        'written first, whatever its size: it says nothing of the client.',
    ),
  coalesceDelayMs: wholeNumber(0, 100)
    .default(0)
    .describe(
      'How long events may wait for others, to be written together (ms). 0: only for what comes in the same turn of the ' +
        'event loop. An event that comes after a pause never waits, nor do more than `sendQueueBytesMax`.',
    ),
  perMessageDeflate: z
    .boolean()
    .default(false)
    .describe(
      'Whether WebSocket messages of 1024 bytes and more are compressed for clients that offer it: once for all of ' +
        'them, without a window from message to message.',
    ),
};
