import type { Observer } from '../../application/ports/observer.ts';

/** One observer out of several, in order. One that throws in spite of its promise harms neither the others nor the teller. */
export const combineObservers = (observers: readonly Observer[]): Observer => ({
  observe(observation) {
    for (const observer of observers) {
      try {
        observer.observe(observation);
      } catch {
        // There is nobody left to tell: observers are who is told.
      }
    }
  },
});
