import type { Clock } from '../../application/ports/clock.ts';

/** So many lines of one kind a second, so that a storm of one thing does not fill the disk or hide the rest. */
export type LineBudget<Kind> = {
  /** Whether the line may be written, and how many of its kind were not since the last one. */
  take(kind: Kind): { readonly granted: boolean; readonly suppressed: number };
};

type Account = { secondBegan: number; used: number; suppressed: number };

/** @param Kind a closed union: an account is kept for each. */
export function createLineBudget<Kind extends string>(clock: Clock, linesPerSecondMax: number): LineBudget<Kind> {
  const accounts = new Map<Kind, Account>();
  return {
    take(kind) {
      const now = clock.now();
      const account = accounts.get(kind) ?? { secondBegan: now, used: 0, suppressed: 0 };
      accounts.set(kind, account);
      if (now - account.secondBegan >= 1000) {
        account.secondBegan = now;
        account.used = 0;
      }
      if (account.used >= linesPerSecondMax) {
        account.suppressed += 1;
        return { granted: false, suppressed: account.suppressed };
      }
      account.used += 1;
      const { suppressed } = account;
      account.suppressed = 0;
      return { granted: true, suppressed };
    },
  };
}
