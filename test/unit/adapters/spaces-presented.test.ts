import { expect, test } from 'vitest';
import { spacesPresented, spacesPresentedOverHttp } from '../../../src/adapters/outbound/socketio/spaces-presented.ts';

const places = ['token.jwt', 'token.oauth', 'token.service_app'];

test.each([
  ['?token=T&tokenType=jwt', {}, 'token.jwt', 'T'],
  ['?token=T', {}, 'token.jwt', 'T'],
  ['?token=T&tokenType=', {}, 'token.jwt', 'T'],
  ['?token=T&tokenType=JWT', {}, 'token.jwt', 'T'],
  ['?token=T&tokenType=oauth', {}, 'token.oauth', 'T'],
  ['?token=T&tokenType=service_app', {}, 'token.service_app', 'T'],
  ['?token=T&tokenType=other', {}, undefined, undefined],
  ['?token=T=jwt', {}, 'token.jwt', 'T'],
  ['?token=T=jwt&tokenType=jwt', {}, 'token.jwt', 'T'],
  ['?token=T=oauth', {}, 'token.oauth', 'T'],
  ['?token=T=oauth&tokenType=jwt', {}, 'token.jwt', 'T=oauth'],
  ['?token=a&token=T', {}, 'token.jwt', 'T'],
  ['', { token: 'T', tokenType: 'oauth' }, 'token.oauth', 'T'],
  ['?token=T', { token: 'U', tokenType: 'oauth' }, 'token.jwt', 'T'],
  ['?token=undefined', { token: 'T' }, 'token.jwt', 'T'],
  ['?token=null&tokenType=oauth', { token: 'T' }, 'token.jwt', 'T'],
  ['', { token: 7 }, undefined, undefined],
  ['', { token: '' }, undefined, undefined],
  ['', {}, undefined, undefined],
])('%s and %j: %s %s', (query, auth, place, token) => {
  const presented = spacesPresented({ url: `/socket.io/${query}`, auth, headers: {} });
  const read = places.flatMap((each) => presented.read(each).map((value) => [each, value]));
  expect(read).toEqual(place === undefined ? [] : [[place, token]]);
});

test.each([
  ['jwt T', 'token.jwt'],
  ['JWT T', 'token.jwt'],
  ['bearer a.b.c', 'token.jwt', 'token.oauth'],
  ['Bearer T', 'token.oauth'],
  ['service_app T', 'token.service_app'],
  ['T', undefined],
  ['jwt T x', undefined],
])('over HTTP, %s', (authorization, ...expected) => {
  const presented = spacesPresentedOverHttp({ authorization: [authorization] });
  const found = presented.map((one) => places.find((each) => one.read(each).length > 0));
  expect(found).toEqual(expected);
});

test('other places are read as for every endpoint', () => {
  const presented = spacesPresented({ url: '/?a=1', auth: { b: '2', toString: '3' }, headers: { 'x-c': ['4', '5'] } });
  expect(['query.a', 'auth.b', 'auth.valueOf', 'header.x-c'].map((place) => presented.read(place))).toEqual([
    ['1'],
    ['2'],
    [],
    ['4', '5'],
  ]);
});
