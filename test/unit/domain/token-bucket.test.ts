import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../../../src/domain/token-bucket.ts';

test('as many at once as in a second, then as fast as it fills up', () => {
  const bucket = new TokenBucket(4, 0);
  const takes = (now: number, times: number) =>
    Array.from({ length: times }, () => bucket.take(now)).filter(Boolean).length;
  expect(takes(0, 9)).toBe(4);
  expect(takes(249, 9)).toBe(0);
  expect(takes(250, 9)).toBe(1);
  expect(takes(1000, 9)).toBe(3);
  expect(takes(100_000, 9)).toBe(4);
  // A clock that is set back takes nothing away, and gives nothing.
  expect(takes(0, 9)).toBe(0);
  expect(bucket.isFull(999)).toBe(false);
  expect(bucket.isFull(1000)).toBe(true);
});

test('in no time more than a burst and what has grown meanwhile', () => {
  const steps = fc.array(fc.record({ wait: fc.nat(2000), times: fc.nat(50) }), { maxLength: 50 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 100 }), (all, perSecond) => {
      const bucket = new TokenBucket(perSecond, 0);
      let now = 0;
      let taken = 0;
      for (const { wait, times } of all) {
        now += wait;
        for (let each = 0; each < times; each += 1) if (bucket.take(now)) taken += 1;
        expect(taken).toBeLessThanOrEqual(perSecond + (now / 1000) * perSecond + 1e-6);
      }
    }),
  );
});
