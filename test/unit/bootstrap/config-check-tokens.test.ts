import { describe, expect, test } from 'vitest';
import { pathsAndMessages } from './config-fixture.ts';

const config = (tokens: string, accepts = '') => `
development: true
sources: [{ memory: {} }]
endpoints: [{ socketio: { ${accepts === '' ? '' : `credentials: [{ from: auth.t, accepts: [${accepts}] }]`} } }]
identity: { tokens: ${tokens} }
`;

describe('kinds of token that are accepted at one credential', () => {
  const accepts = 'endpoints[0].socketio.credentials[0].accepts';
  const never = 'and is never chosen for such tokens; accept one of them';

  test.each([
    ['issuers of their own', '{ a: { issuers: [x] }, b: { issuers: [y] } }', 'a, b', []],
    ['one without issuers for the rest', '{ a: { issuers: [x] }, b: {} }', 'b, a', []],
    [
      'one issuer in common',
      '{ a: { issuers: [x] }, b: { issuers: [y, x] } }',
      'a, b',
      [`${accepts}[1]: has an issuer of the kind a before it, ${never}`],
    ],
    [
      'two without issuers',
      '{ a: {}, b: { issuers: [x] }, c: {} }',
      'c, b, a',
      [`${accepts}[2]: names no issuers, as does the kind c before it, ${never}`],
    ],
    [
      'two of the development issuer',
      '{ a: { development: true }, b: { development: true } }',
      'a, b',
      [`${accepts}[1]: has an issuer of the kind a before it, ${never}`],
    ],
    ['one of the development issuer, one without any', '{ a: { development: true }, b: {} }', 'a, b', []],
    ['the same twice', '{ a: {} }', 'a, a', [`${accepts}[1]: is accepted here already; leave it out`]],
    [
      'one that is called as what every object has',
      '{ a: {} }',
      'constructor, a',
      [`${accepts}[0]: "constructor" is not in identity.tokens; there are a`],
    ],
  ])('%s', (_, tokens, names, lines) => {
    expect(pathsAndMessages(config(tokens, names))).toEqual(lines);
  });

  test('those of two credentials may share an issuer', () => {
    const credentials = '[{ from: auth.t, accepts: [a] }, { from: query.t, accepts: [b], optional: true }]';
    const text = config('{ a: { issuers: [x] }, b: { issuers: [x] } }');
    expect(pathsAndMessages(text.replace('socketio: {', `socketio: { credentials: ${credentials}`))).toEqual([]);
  });

  test('it is the same where somebody publishes', () => {
    const http = '{ http: { credentials: [{ from: header.authorization, accepts: [a, b] }] } }';
    const text = config('{ a: {}, b: {} }').replace('{ memory: {} }', `{ memory: {} }, ${http}`);
    expect(pathsAndMessages(text)).toEqual([
      `sources[1].http.credentials[0].accepts[1]: names no issuers, as does the kind a before it, ${never}`,
    ]);
  });
});

describe('variables of a kind of token', () => {
  test('none is called as what every connection has', () => {
    expect(pathsAndMessages(config('{ a: { variables: { connection: [cid] } } }'))).toEqual([
      'identity.tokens.a.variables.connection: every connection has {connection} already; give it another name',
    ]);
  });

  test.each([
    ['of one before it', '{ b: [x], a: { sha256: [b] } }', true],
    ['of a claim', '{ a: { sha256: [x] }, b: [x] }', true],
    ['of the claim that is called as the variable', '{ a: { sha256: [a] } }', true],
    ['of one after it', '{ a: { sha256: [x, b] }, b: [y] }', false],
  ])('a digest %s', (_, variables, ok) => {
    const message = 'names a variable that stands after this one, and would be read as a claim; put that one first';
    expect(pathsAndMessages(config(`{ k: { variables: ${variables} } }`))).toEqual(
      ok ? [] : [`identity.tokens.k.variables.a.sha256[1]: ${message}`],
    );
  });
});
