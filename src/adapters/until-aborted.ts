/**
 * Waits for a promise at most until the signal aborts, then rejects with `giveUp()`. What the promise stands for goes
 * on, since others may wait for it too.
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, giveUp: () => Error): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(giveUp());
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
