import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { onStopSignals } from '../../../src/bootstrap/cli/stop-signals.ts';

function signalled() {
  const process = new EventEmitter();
  const told: string[] = [];
  let now = 1000;
  onStopSignals(process, () => now, { first: () => told.push('first'), again: () => told.push('again') });
  return {
    told,
    at: (time: number, signal: string) => {
      now = time;
      process.emit(signal);
    },
  };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s asks to stop', (signal) => {
  const { told, at } = signalled();
  at(1000, signal);
  expect(told).toEqual(['first']);
});

test('one Ctrl-C that comes twice, from the terminal and from npm, is one', () => {
  const { told, at } = signalled();
  at(1000, 'SIGINT');
  at(1499, 'SIGINT');
  expect(told).toEqual(['first']);
  at(1500, 'SIGTERM');
  expect(told).toEqual(['first', 'again']);
});
