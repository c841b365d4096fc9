import { expect, test } from 'vitest';
import { percentile, ratioOf, spreadOf } from '../../../bench/measure/statistics.ts';

test.each([
  { values: [3, 1, 2], median: 2 },
  { values: [4, 1, 3, 2], median: 2.5 },
  { values: [10, 9, 100], median: 10 },
  { values: [7], median: 7 },
])('the median of $values is $median', ({ values, median }) => {
  expect(spreadOf(values)).toEqual({
    median,
    min: Math.min(...values),
    max: Math.max(...values),
    values,
  });
});

test('a spread of nothing is no number', () => {
  expect(spreadOf([])).toEqual({ median: NaN, min: NaN, max: NaN, values: [] });
});

test('a ratio is that of each round, whatever the order of what was measured', () => {
  expect(ratioOf(spreadOf([2, 30, 4]), spreadOf([1, 10, 4]))).toEqual(spreadOf([2, 3, 1]));
});

test('there is no ratio where a round is lacking', () => {
  expect(ratioOf(spreadOf([1, 2]), spreadOf([1]))).toEqual(spreadOf([]));
  expect(ratioOf(undefined, spreadOf([1]))).toEqual(spreadOf([]));
  expect(ratioOf(spreadOf([1]), undefined)).toEqual(spreadOf([]));
});

test.each([
  { share: 0.5, value: 500 },
  { share: 0.99, value: 990 },
  { share: 0.999, value: 999 },
  { share: 0, value: 1 },
  { share: 1, value: 1000 },
])('the percentile $share of 1 to 1000 is $value', ({ share, value }) => {
  const sorted = Array.from({ length: 1000 }, (_, index) => index + 1);
  expect(percentile(sorted, share)).toBe(value);
});

test('there is no percentile of nothing', () => {
  expect(percentile([], 0.5)).toBeNaN();
});
