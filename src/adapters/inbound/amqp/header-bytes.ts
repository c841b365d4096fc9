import type { Options } from 'amqplib';

/** Class, weight, size of the body, and the flags of the properties (AMQP 0-9-1, section 4.2.6.1). */
const fixedBytes = 14;
/** Numbers are at most so long, with their type. */
const numberBytesMax = 10;

/** How many bytes a content header takes, at most: what is in its frame. */
export function headerBytesMax({ headers, ...properties }: Options.Publish): number {
  const short = Object.values(properties).map((value) =>
    typeof value === 'string' ? 1 + Buffer.byteLength(value) : numberBytesMax,
  );
  return sum(short) + fixedBytes + (headers === undefined ? 0 : valueBytesMax(headers));
}

function valueBytesMax(value: unknown): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (Buffer.isBuffer(value)) return 5 + value.length;
  if (Array.isArray(value)) return 5 + sum(value.map(valueBytesMax));
  if (typeof value !== 'object' || value === null) return numberBytesMax;
  return 5 + sum(Object.entries(value).map(([name, each]) => 1 + Buffer.byteLength(name) + valueBytesMax(each)));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
