import { expect, test } from 'vitest';
import { spreadOf } from '../../../bench/measure/statistics.ts';
import { medianAt, ratioAt, target, withRatios } from '../../../bench/report/target.ts';

const figures = [
  { situation: 'few', peer: 'ours', values: { cpu: spreadOf([1, 9, 3]) } },
  { situation: 'few', peer: 'stock', values: { cpu: spreadOf([2, 10, 4]) } },
  { situation: 'few', peer: 'broken', values: { cpu: spreadOf([1]) }, error: 'it fell over' },
  { situation: 'many', peer: 'ours', values: { cpu: spreadOf([5]) } },
];

test('a figure and its ratio to another peer in the same situation', () => {
  expect(medianAt(figures, { situation: 'few', peer: 'ours', key: 'cpu' })).toBe(3);
  expect(ratioAt(figures, { situation: 'few', peer: 'ours', key: 'cpu' }, 'stock')).toBe(0.75);
});

test.each(['broken', 'nobody'])('there is none beside %s', (peer) => {
  expect(medianAt(figures, { situation: 'few', peer, key: 'cpu' })).toBeNaN();
  expect(ratioAt(figures, { situation: 'few', peer: 'ours', key: 'cpu' }, peer)).toBeNaN();
});

test('ratios stand beside the figures, where there is somebody to compare with', () => {
  const [ours, stock, broken, many] = withRatios(figures, 'cpu', { toStock: 'stock', toFloor: undefined });
  expect(ours?.values).toEqual({ cpu: spreadOf([1, 9, 3]), toStock: spreadOf([0.5, 0.9, 0.75]) });
  expect(stock?.values['toStock']).toEqual(spreadOf([1, 1, 1]));
  expect(broken).toMatchObject({ error: 'it fell over', values: { toStock: spreadOf([]) } });
  expect(many?.values).toEqual({ cpu: spreadOf([5]) });
});

test('a target is met at its limit, and there is none for what was not measured', () => {
  expect(target('a', 0.75, 'at most', 0.75)).toEqual([
    { what: 'a', value: 0.75, limit: 0.75, is: 'at most', met: true },
  ]);
  expect(target('a', 0.76, 'at most', 0.75)).toMatchObject([{ met: false }]);
  expect(target('a', 3, 'at least', 3)).toMatchObject([{ met: true }]);
  expect(target('a', 2.9, 'at least', 3)).toMatchObject([{ met: false }]);
  expect(target('a', Number.NaN, 'at least', 3)).toEqual([]);
});
