import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { eventId } from '../../../src/adapters/inbound/event-id.ts';

test('ids of events are UUIDs of version 7, and no two are the same', () => {
  const ids = Array.from({ length: 2000 }, eventId);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
  // Whatever the time, what is random differs: all of it comes from the system, and none of it twice.
  expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(ids.length);
});
