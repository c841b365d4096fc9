import { createStreamIndex } from '../src/domain/stream-index.ts';
import { parseTopicPattern, type TopicPattern } from '../src/domain/topic-pattern.ts';

/**
 * How fast one key finds its patterns among many distinct ones, and what they take: `npm run bench:topic-index`.
 *
 * The shapes are those of brainlife's web pages (brainlife section 7): one instance, one project, one task.
 */
const shapes: readonly ((index: number) => string)[] = [
  (index) => `i${index}.#`,
  (index) => `i${index}.t${index % 7}`,
  (index) => `dataset.*.*.p${index}.#`,
  (index) => `rule.update.*.p${index}.r${index}`,
  (index) => `g${index % 100}.*.x${index}`,
];
const keys = (count: number): readonly string[] =>
  Array.from({ length: 1000 }, (_, index) => {
    const id = (index * 7919) % count;
    return [
      `i${id}.t${id % 7}`,
      `dataset.update.u${id}.p${id}.d1`,
      `rule.update.u1.p${id}.r${id}`,
      `g${id % 100}.q.x${id}`,
    ][index % 4] as string;
  });

function patternOf(text: string): TopicPattern {
  const pattern = parseTopicPattern(text);
  if (!pattern.ok) throw new Error(pattern.reason);
  return pattern.value;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function measure(count: number): string {
  const before = heapBytes();
  const index = createStreamIndex<number>('topic');
  for (let each = 0; each < count; each += 1) {
    const shape = shapes[each % shapes.length];
    if (shape) index.add(patternOf(shape(each)), each);
  }
  const bytes = (heapBytes() - before) / count;
  const asked = keys(count);
  const rounds = 200;
  let found = 0;
  for (const key of asked) found += index.match(key).length;
  const begin = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const key of asked) found += index.match(key).length;
  const micros = ((performance.now() - begin) * 1000) / (rounds * asked.length);
  const row = [count, micros.toFixed(2), Math.round(bytes), (found / (rounds + 1) / asked.length).toFixed(2)];
  return `| ${row.join(' | ')} |`;
}

const rows = [1000, 10_000, 100_000, 1_000_000].map(measure);
process.stdout.write(
  `${['| distinct patterns | µs for a key | heap bytes for a pattern | matches of a key |', '|---|---|---|---|', ...rows].join('\n')}\n`,
);
