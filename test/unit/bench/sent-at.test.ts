import { expect, test } from 'vitest';
import { agesIn, stampedPayload } from '../../../bench/load/sent-at.ts';

test('a payload is JSON of the bytes that were asked for', () => {
  const payload = stampedPayload(320);
  expect(payload).toHaveLength(320);
  expect(JSON.parse(payload)).toEqual({ sent: expect.stringMatching(/^T\d{20}$/), fill: expect.any(String) });
});

test('every payload that is there whole tells its age', () => {
  const begin = process.hrtime.bigint();
  const chunk = Buffer.from(`${stampedPayload(100)}${stampedPayload(100)}{"sent":"T00001`);
  const ages: number[] = [];
  agesIn(chunk, (micros) => ages.push(micros));
  const elapsedMicros = Number((process.hrtime.bigint() - begin) / 1000n);
  expect(ages).toHaveLength(2);
  for (const age of ages) expect(age >= 0 && age <= elapsedMicros + 1).toBe(true);
});
