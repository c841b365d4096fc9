import { expect, test } from 'vitest';
import type { TopologyOutcome } from '../../../src/application/ports/topology.ts';
import { outcomeJsonLine, outcomeLines, outcomeSummary } from '../../../src/bootstrap/cli/topology-lines.ts';
import { fakeCommandIo } from '../../support/fake-command-io.ts';

const thing = { kind: 'subscription', name: 'projects/p/subscriptions/s' };

test.each<[TopologyOutcome, string]>([
  [{ kind: 'created' }, 'created subscription projects/p/subscriptions/s\n'],
  [{ kind: 'created', detail: 'of t' }, 'created subscription projects/p/subscriptions/s: of t\n'],
  [{ kind: 'would-create', detail: 'of t' }, 'would create subscription projects/p/subscriptions/s: of t\n'],
  [{ kind: 'exists' }, 'exists subscription projects/p/subscriptions/s\n'],
  [
    { kind: 'differs', differences: ['one', 'two'], remedy: 'do this' },
    'differs subscription projects/p/subscriptions/s: one; two\n  do this\n',
  ],
  [
    { kind: 'missing', reason: 'unknown', remedy: 'do that' },
    'missing subscription projects/p/subscriptions/s: unknown\n  do that\n',
  ],
])('%j', (outcome, lines) => {
  expect(outcomeLines(thing, outcome)).toBe(lines);
  const { kind, ...details } = outcome;
  expect(JSON.parse(outcomeJsonLine(thing, outcome))).toEqual({ outcome: kind, ...thing, ...details });
  expect(outcomeJsonLine(thing, outcome)).toMatch(/^[^\n]+\n$/);
});

test('the summary counts what there is to count', () => {
  expect(outcomeSummary(['exists'])).toBe('1 exists');
  expect(outcomeSummary(['created', 'exists', 'created', 'exists', 'would-create'])).toBe(
    '2 created, 1 would be created, 2 exist',
  );
  expect(outcomeSummary(['skipped', 'failed', 'missing', 'differs', 'differs', 'skipped'])).toBe(
    '2 differ, 1 missing, 1 failed, 2 not looked at',
  );
});

test('the command hands over its file and options, and its exit code is the end', async () => {
  const cli = fakeCommandIo();
  expect(await cli.run('topology', 'apply', 'a.yaml')).toBe(7);
  expect(await cli.run('topology', 'apply', 'a.yaml', '--dry-run')).toBe(7);
  expect(cli.stdout()).toBe('topology a.yaml undefinedtopology a.yaml true');
});
