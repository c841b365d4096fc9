import { expect, test } from 'vitest';
import { RequestPlaces } from '../../../src/adapters/inbound/request-places.ts';

test('as many requests as there may be, and one more when one has left', () => {
  const places = new RequestPlaces(2, 1000);
  const leave = places.take(1);
  expect(leave).toBeDefined();
  expect(places.take(1)).toBeDefined();
  expect(places.take(1)).toBeUndefined();
  leave?.();
  expect(places.take(1)).toBeDefined();
  expect(places.take(1)).toBeUndefined();
});

test('as many bytes as there may be, to the byte', () => {
  const places = new RequestPlaces(10, 100);
  const leave = places.take(60);
  expect(places.take(41)).toBeUndefined();
  expect(places.take(40)).toBeDefined();
  expect(places.take(1)).toBeUndefined();
  leave?.();
  expect(places.take(60)).toBeDefined();
});

test('one request is always taken, however large', () => {
  const places = new RequestPlaces(10, 100);
  const leave = places.take(5000);
  expect(leave).toBeDefined();
  expect(places.take(0)).toBeUndefined();
  leave?.();
  expect(places.take(5000)).toBeDefined();
});
