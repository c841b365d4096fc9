import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Handshake, presentedBy, queryOf } from '../../../src/adapters/outbound/presented-by.ts';
import { anyText } from '../../support/any-text.ts';

const presented = (given: Partial<Handshake>) => presentedBy({ url: '/socket.io/', headers: {}, auth: {}, ...given });
const query = (text: string) => presented({ url: `/socket.io/?EIO=4&${text}&transport=websocket` });

describe('hiiretail 7 item 2: lists in the query come as', () => {
  test.each([
    ['comma text, which is what the JavaScript client sends', 'topics=a.v1%2Cb.v1', ['a.v1,b.v1']],
    ['comma text that is not encoded', 'topics=a.v1,b.v1', ['a.v1,b.v1']],
    ['repeated fields', 'topics=a.v1&x=1&topics=b.v1', ['a.v1', 'b.v1']],
    ['fields with brackets', 'topics[]=a.v1&topics[]=b.v1', ['a.v1', 'b.v1']],
    ['fields with encoded brackets', 'topics%5B%5D=a.v1&topics%5B%5D=b.v1', ['a.v1', 'b.v1']],
    ['all of it, in order', 'topics[]=a&topics=b,c&topics[]=d', ['a', 'b,c', 'd']],
    ['nothing in a list', 'topics=', ['']],
    ['texts that mean nothing, which the application knows', 'topics=undefined&topics=null', ['undefined', 'null']],
    ['a field without a value', 'topics', ['']],
    ['another field', 'topic=a&topics2=b&topics[0]=c', []],
    ['text with slashes, spaces and letters of any kind', 'topics=a%2Fb+c%20%C3%A5', ['a/b c å']],
    ['text that is not well encoded', 'topics=%zz%ff', ['%zz\ufffd']],
  ])('%s', (_, text, values) => {
    expect(query(text).read('query.topics[]')).toEqual(values);
  });

  test('a field that is no list has no brackets', () => {
    const client = query('token[]=a&token=b&site%5B%5D=c');
    expect([client.read('query.token'), client.read('query.site')]).toEqual([['b'], []]);
  });

  test('nothing, where there is no query', () => {
    expect(presented({}).read('query.topics[]')).toEqual([]);
  });
});

describe('what a client presents', () => {
  test.each([
    ['text', 'abc', ['abc']],
    ['empty text, which the application knows', '', ['']],
    ['a number, as text', 12_345, ['12345']],
    ['a list', ['a'], []],
    ['an object', { toString: 'x' }, []],
    ['nothing', null, []],
    ['a boolean', true, []],
  ])('in `auth`: %s', (_, token, values) => {
    expect(presented({ auth: { token } }).read('auth.token')).toEqual(values);
  });

  test('in `auth` is its own, not what every object has', () => {
    const client = presented({ auth: JSON.parse('{"__proto__":"p"}') as Record<string, unknown> });
    expect(['auth.__proto__', 'auth.constructor', 'auth.token'].map((place) => client.read(place))).toEqual([
      ['p'],
      [],
      [],
    ]);
  });

  test('in headers, by names in any case, every occurrence', () => {
    const client = presented({ headers: { authorization: ['Bearer a', 'Bearer b'] } });
    expect(client.read('header.authorization')).toEqual(['Bearer a', 'Bearer b']);
    expect(client.read('header.Authorization')).toEqual(['Bearer a', 'Bearer b']);
    expect(client.read('header.cookie')).toEqual([]);
  });

  test('anywhere else is nothing', () => {
    const client = presented({ auth: { token: 'a' } });
    expect(['token', 'body.token', '', '.', 'auth'].map((place) => client.read(place))).toEqual([[], [], [], [], []]);
  });

  test('is given back whatever it is', () => {
    fc.assert(
      fc.property(fc.array(anyText().map((text) => text.toWellFormed())), (values) => {
        const url = `/socket.io/?${values.map((value) => `a=${encodeURIComponent(value)}`).join('&')}`;
        expect(presented({ url }).read('query.a')).toEqual(values);
      }),
    );
  });
});

test('the query of whatever target is read as that of a URL', () => {
  const pieces = fc.constantFrom(
    ...Array.from('/?#&=+%\\:@[]"<>\'ab'),
    '%20',
    '%zz',
    '//',
    '?a=',
    'å',
    ' ',
    '\t',
    'http://',
    '..',
  );
  const targets = fc.tuple(fc.constantFrom('/', '/?', '', '//', '/\\'), fc.array(pieces, { maxLength: 12 }));
  fc.assert(
    fc.property(targets, ([start, rest]) => {
      const target = start + rest.join('');
      expect(queryOf(target)).toEqual([...(URL.parse(target, 'http://localhost')?.searchParams ?? [])]);
    }),
    { numRuns: 2000 },
  );
});
