import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backOffDelayMs } from '../../../src/application/back-off.ts';

const backOff = { delayMsMin: 100, delayMsMax: 1000 };

test.each([
  [1, 50, 100],
  [2, 100, 200],
  [3, 200, 400],
  [4, 400, 800],
  [5, 500, 1000],
  [6, 500, 1000],
  [1_000_000, 500, 1000],
])('after %i tries it is from %i up to %i ms', (tries, least, most) => {
  expect(backOffDelayMs(backOff, tries, 0)).toBe(least);
  expect(backOffDelayMs(backOff, tries, 0.5)).toBe((least + most) / 2);
  expect(backOffDelayMs(backOff, tries, 1)).toBe(most);
});

test('it never grows past its limit, never shrinks with further tries, and is always a number', () => {
  const bounds = fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 86_400_000 }));
  const tries = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 });
  fc.assert(
    fc.property(bounds, tries, fc.double({ min: 0, max: 1, noNaN: true }), ([delayMsMin, more], count, random) => {
      const bounded = { delayMsMin, delayMsMax: delayMsMin + more };
      const delayMs = backOffDelayMs(bounded, count, random);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(delayMsMin / 2);
      expect(delayMs).toBeLessThanOrEqual(bounded.delayMsMax);
      expect(backOffDelayMs(bounded, count + 1, random)).toBeGreaterThanOrEqual(delayMs);
    }),
  );
});

test('a limit below the first delay holds', () => {
  expect(backOffDelayMs({ delayMsMin: 1000, delayMsMax: 10 }, 1, 1)).toBe(10);
});
