import { type BackOff, backOffDelayMs } from './back-off.ts';
import { Fault } from './fault.ts';
import type { Clock } from './ports/clock.ts';

export type Hold = {
  readonly clock: Clock;
  readonly random: () => number;
  /** How long a client is held before it is told to come back. */
  readonly holdMsMax: number;
};

const backOff: BackOff = { delayMsMin: 100, delayMsMax: 1000 };

/** A client that is told to come back waits this long, with jitter. */
const retryAfterMsMin = 1000;
const retryAfterMsMax = 5000;

/**
 * Tries until there is an answer. A rejection (a key server or check that cannot be had) is tried again within
 * `holdMsMax`; then, when the client has gone, or at once where a `Fault` says that it is no use for a while, the answer
 * is to come back later. Never rejects.
 */
export async function holdWhileUnknown<T>(
  answer: (signal: AbortSignal) => Promise<T>,
  { clock, random, holdMsMax }: Hold,
  gone: AbortSignal,
): Promise<{ kind: 'answered'; answer: T } | { kind: 'try-later'; retryAfterMs: number; error: unknown }> {
  // One signal and not one of several (`AbortSignal.any`): that costs more than all else here, also at the next collection.
  const over = new AbortController();
  const { signal } = over;
  // Somebody who does not listen to the signal must not hold the client any longer.
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  // It may come when nobody waits any more.
  timedOut.catch(() => undefined);
  const end = () => {
    // First, so that what somebody who listens makes of the end is no answer any more.
    reject(new Error('there was no answer in time'));
    over.abort();
  };
  const stop = clock.schedule(holdMsMax, end);
  if (gone.aborted) over.abort();
  else gone.addEventListener('abort', end, { once: true });
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        return { kind: 'answered', answer: await Promise.race([answer(signal), timedOut]) };
      } catch (error) {
        // Who knows that it is no use for a while is not asked again, and nobody is held for it.
        const knownMs = error instanceof Fault ? error.retryAfterMs : undefined;
        if (knownMs === undefined) await clock.wait(backOffDelayMs(backOff, tries, random()), signal);
        if (knownMs === undefined && !signal.aborted) continue;
        const jitterMs = (retryAfterMsMax - retryAfterMsMin) * random();
        return { kind: 'try-later', retryAfterMs: Math.round((knownMs ?? retryAfterMsMin) + jitterMs), error };
      }
    }
  } finally {
    stop();
    gone.removeEventListener('abort', end);
  }
}
