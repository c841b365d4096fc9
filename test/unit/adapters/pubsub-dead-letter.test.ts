import { describe, expect, test } from 'vitest';
import { deadLetterOf } from '../../../src/adapters/inbound/pubsub/pubsub-dead-letter.ts';
import { anEvent } from '../../support/event-fixture.ts';

const bytesOf = ({ attributes, data }: ReturnType<typeof deadLetterOf>): number =>
  Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    data.length,
  );

describe('a dead letter', () => {
  test('has the bytes, the attributes, and why and from where it comes', () => {
    const event = anEvent({ id: 'e1', key: 'T1', payload: Uint8Array.of(0, 255), attributes: new Map([['a', 'b']]) });
    expect(deadLetterOf(event, 'shop', 'no endpoint took it')).toEqual({
      data: Uint8Array.of(0, 255),
      attributes: {
        a: 'b',
        'Dead-Letter-Cause': 'no endpoint took it',
        'Dead-Letter-Source': 'shop',
        'Dead-Letter-Stream': 'orders.v1',
        'Dead-Letter-Key': 'T1',
        'Dead-Letter-Id': 'e1',
      },
    });
  });

  test.each([
    [95, 100, undefined],
    [96, 100, '2'],
    [100, 100, '6'],
  ])('of an event with %i attributes has %i of them, and says how many found no room: %s', (count, size, leftOut) => {
    const attributes = new Map(Array.from({ length: count }, (_, index) => [`name-${index}`, 'value']));
    const letter = deadLetterOf(anEvent({ attributes }), 'shop', 'cause');
    expect(Object.keys(letter.attributes)).toHaveLength(size);
    expect(letter.attributes['Dead-Letter-Left-Out']).toBe(leftOut);
    expect(letter.attributes['Dead-Letter-Cause']).toBe('cause');
    expect(letter.attributes['name-0']).toBe('value');
  });

  test('keeps within the bytes of a value, and cuts no character in two', () => {
    const letter = deadLetterOf(anEvent({ key: `a${'☕'.repeat(400)}` }), 'shop', '☕'.repeat(600));
    expect(letter.attributes['Dead-Letter-Cause']).toBe('☕'.repeat(341));
    expect(letter.attributes['Dead-Letter-Key']).toBe(`a${'☕'.repeat(341)}`);
  });

  test('leaves out what only Pub/Sub may name, and what it would not take', () => {
    const attributes = new Map([
      ['googclient_schemaencoding', 'JSON'],
      ['', 'nameless'],
      ['n'.repeat(257), 'long name'],
      ['long value', 'v'.repeat(1025)],
      ['good', 'yes'],
    ]);
    const letter = deadLetterOf(anEvent({ attributes }), 'shop', 'cause');
    expect(Object.keys(letter.attributes).filter((name) => !name.startsWith('Dead-Letter-'))).toEqual(['good']);
    expect(letter.attributes['Dead-Letter-Left-Out']).toBe('4');
  });

  test.each([0, 1000, 10_000_000])('never loses the body, with %i bytes less than a request may have', (less) => {
    const payload = new Uint8Array(10_000_000 - less);
    const letter = deadLetterOf(anEvent({ payload, attributes: new Map([['a', 'b']]) }), 'shop', 'cause');
    expect(letter.data).toBe(payload);
    expect(bytesOf(letter)).toBeLessThanOrEqual(10_000_000);
  });

  test('has no attribute by which a prototype could be changed', () => {
    const letter = deadLetterOf(anEvent({ attributes: new Map([['__proto__', 'p']]) }), 'shop', 'cause');
    expect(Object.getPrototypeOf(letter.attributes)).toBe(Object.prototype);
    expect(Object.entries(letter.attributes)).toContainEqual(['__proto__', 'p']);
  });
});
