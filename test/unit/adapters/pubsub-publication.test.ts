import { expect, test } from 'vitest';
import { publicationOf } from '../../../src/adapters/inbound/pubsub/pubsub-publication.ts';
import { eventOf } from '../../support/domain-fixtures.ts';

test('the stream is the topic, the key the ordering key, attributes and bytes are as they are', () => {
  const payload = Buffer.from([0, 255]);
  const publication = publicationOf(eventOf({ 'Ä b': 'ö' }, { stream: 'topic', key: 'k.k', payload }));
  expect(publication).toMatchObject({
    ok: true,
    value: {
      topic: { id: 'topic' },
      key: 'k.k',
      message: { data: payload, attributes: { 'Ä b': 'ö' }, orderingKey: 'k.k' },
    },
  });
  const withoutKey = publicationOf(eventOf({ a: 'b' }, { stream: 'topic' }));
  expect(withoutKey.ok && 'orderingKey' in withoutKey.value.message).toBe(false);
});

const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`a${index}`, '']));

test.each([
  ['a stream that is no topic', eventOf({}, { stream: 'a b' }), /is no topic/],
  ['a long key', eventOf({}, { stream: 'topic', key: 'ä'.repeat(513) }), /key has more/],
  ['many attributes', eventOf(many, { stream: 'topic' }), /more than 100 attributes/],
  ['a long name', eventOf({ ['n'.repeat(257)]: '' }, { stream: 'topic' }), /name of an attribute/],
  ['a reserved name', eventOf({ googx: '' }, { stream: 'topic' }), /"goog"/],
  ['a long value', eventOf({ a: 'v'.repeat(1025) }, { stream: 'topic' }), /more than 1024/],
  ['nothing in it', eventOf({}, { stream: 'topic', payload: new Uint8Array() }), /neither/],
  ['too many bytes', eventOf({}, { stream: 'topic', payload: new Uint8Array(9_500_000) }), /bytes/],
])('what Pub/Sub never takes is refused: %s', (_, event, reason) => {
  expect(publicationOf(event)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
});
