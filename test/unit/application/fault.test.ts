import { expect, test } from 'vitest';
import { Fault } from '../../../src/application/fault.ts';

test('a fault is an error with a code and what is to become of it', () => {
  const cause = new Error('refused');
  const fault = new Fault('broker_away', 'retry', 'the broker at x does not answer: start it', cause);
  expect(fault).toBeInstanceOf(Error);
  expect(fault).toMatchObject({ name: 'Fault', code: 'broker_away', disposition: 'retry', cause });
  expect(`${fault}`).toBe('Fault: the broker at x does not answer: start it');
});

test('without a cause it has none', () => {
  expect('cause' in new Fault('x', 'stop', 'message')).toBe(false);
});
