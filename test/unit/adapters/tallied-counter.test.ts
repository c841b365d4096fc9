import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createTalliedCounter } from '../../../src/adapters/operations/tallied-counter.ts';

const series = async (registry: Registry) =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('counts by its labels, and is the same however often it is read', async () => {
  const registry = new Registry();
  const counter = createTalliedCounter(registry, { name: 'a_total', help: 'h', labelNames: ['source', 'cause'] });
  counter.add(1, 's', 'x');
  counter.add(2, 's', 'y');
  expect(await series(registry)).toEqual(['a_total{source="s",cause="x"} 1', 'a_total{source="s",cause="y"} 2']);
  counter.add(3, 's', 'x');
  counter.add(0, 'other', 'x');
  const read = await series(registry);
  expect(read).toEqual([
    'a_total{source="s",cause="x"} 4',
    'a_total{source="s",cause="y"} 2',
    'a_total{source="other",cause="x"} 0',
  ]);
  expect(await series(registry)).toEqual(read);
});

test('one label, and no series before anything has happened', async () => {
  const registry = new Registry();
  const counter = createTalliedCounter(registry, { name: 'b_total', help: 'h', labelNames: ['source'] });
  expect(await series(registry)).toEqual([]);
  counter.add(1, 's');
  expect(await series(registry)).toEqual(['b_total{source="s"} 1']);
});
