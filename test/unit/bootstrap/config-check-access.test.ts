import { describe, expect, test } from 'vitest';
import { bothTokens, endpoint, load, pathsAndMessages, problemsOf, tenants, tokens } from './config-fixture.ts';

describe('access', () => {
  const given = 'connection, tenant, workstation, user';

  test.each([
    ['all that it refers to is there', `${bothTokens}, rooms: [{ templates: ["t/{tenant}/{user}/{connection}"] }]`, []],
    [
      'a kind of token that is not there',
      'credentials: [{ from: auth.token, accepts: [ocms, imm] }]',
      ['endpoints[0].socketio.credentials[0].accepts[1]: "imm" is not in identity.tokens; there are ocms, iam'],
    ],
    [
      'a companion that no credential before it accepts',
      'credentials: [{ from: auth.token, accepts: [iam] }, { from: query.user, accepts: [iam], with: ocms }]',
      ['endpoints[0].socketio.credentials[1].with: no credential before this one accepts "ocms"; they accept iam'],
    ],
    [
      'a companion with none before it',
      'credentials: [{ from: auth.token, accepts: [iam], with: iam }]',
      ['endpoints[0].socketio.credentials[0].with: no credential before this one accepts "iam"; there is none'],
    ],
    [
      'checks that are not there',
      'checks: [membrship], rooms: [{ templates: [a], checks: [member, membership] }]',
      [
        'endpoints[0].socketio.checks[0]: "membrship" is not in checks; there are membership',
        'endpoints[0].socketio.rooms[0].checks[0]: "member" is not in checks; there are membership',
        'endpoints[0].socketio.rooms[0].checks[1]: nothing gives {space}; there is connection',
      ],
    ],
    [
      'a variable that nothing gives, beside some that several give',
      `${bothTokens}, query: { user: {} }, rooms: [{ templates: ["u/{topic}"] }]`,
      [
        'endpoints[0].socketio.query.user: tokens of the kind iam give {user} already; give it another name',
        `endpoints[0].socketio.rooms[0].templates[0]: nothing gives {topic}; there are ${given}`,
      ],
    ],
    ['a variable that a check asks about and the query gives', 'query: { space: {} }, checks: [membership]', []],
    [
      'a template whose variable nothing gives',
      `${bothTokens}, rooms: [{ templates: ["t/{tenant}", "t/{tennant}"], under: "x/{topic}" }]`,
      [
        `endpoints[0].socketio.rooms[0].templates[1]: nothing gives {tennant}; there are ${given}`,
        `endpoints[0].socketio.rooms[0].under: nothing gives {topic}; there are ${given}`,
      ],
    ],
    [
      'a variable of a kind of token that is not accepted here',
      'credentials: [{ from: auth.token, accepts: [ocms] }], rooms: [{ templates: ["u/{user}"] }]',
      ['endpoints[0].socketio.rooms[0].templates[0]: nothing gives {user}; there are connection, tenant, workstation'],
    ],
    [
      'query variables that would never be read',
      `${bothTokens}, query: { user: {}, connection: {}, other: { field: tenant } }`,
      [
        'endpoints[0].socketio.query.user: tokens of the kind iam give {user} already; give it another name',
        'endpoints[0].socketio.query.connection: every connection has {connection} already; give it another name',
      ],
    ],
    [
      'conditions that cannot be read',
      `${bothTokens}, require: "ocms.present && (", rooms: [${['iam.present', "event.id == 'a'", 'has(']
        .map((when) => `{ templates: [a], when: "${when}" }`)
        .join(', ')}]`,
      [
        expect.stringMatching(/^endpoints\[0\].socketio.require: condition: /),
        expect.stringMatching(/^endpoints\[0\].socketio.rooms\[1\].when: condition: there is no "event" here/),
        expect.stringMatching(/^endpoints\[0\].socketio.rooms\[2\].when: condition: /),
      ],
    ],
    [
      'a credential that this endpoint does not accept',
      `credentials: [{ from: auth.token, accepts: [iam] }], require: "ocms.present"`,
      [expect.stringContaining('there is no "ocms" here')],
    ],
  ])('%s', (_, settings, lines) => {
    const checks = 'checks: { membership: { url: "https://example.com/spaces/{space}" } }';
    expect(pathsAndMessages(endpoint(settings, checks))).toEqual(lines);
  });

  test('without identity there is no kind of token', () => {
    expect(
      pathsAndMessages(
        'sources: [{ memory: {} }]\nendpoints: [{ socketio: { credentials: [{ from: auth.t, accepts: [a] }] } }]',
      ),
    ).toEqual(['endpoints[0].socketio.credentials[0].accepts[0]: "a" is not in identity.tokens; there are none']);
  });

  test('where identity is wrong by itself, nothing is said about its names', () => {
    const credentials = 'credentials: [{ from: auth.t, accepts: [a] }]';
    const adapters = `sources: [{ memory: {} }]\nendpoints: [{ socketio: { ${credentials} } }]`;
    const text = `${adapters}\nidentity: { tokens: { b: { jwks: x } } }`;
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['identity.tokens.b.jwks']);
  });

  test('checks and permission sources refer to kinds of token', () => {
    const more = `
checks: { c: { url: "https://example.com/", bearer: omcs } }
permissionSources: { p: { url: "https://example.com/", credential: imm } }
`;
    expect(problemsOf(endpoint('', more)).map(({ path, suggestion }) => [path, suggestion])).toEqual([
      ['checks.c.bearer', 'ocms'],
      ['permissionSources.p.credential', 'iam'],
    ]);
  });
});

describe('a tenant that the client writes into its URL', () => {
  const space = tenants.replace('{tenant}', '{space}');
  const checks = 'checks: { s: { url: "https://example.com/{space}" }, other: { url: "https://example.com/" } }';
  const query = 'query: { space: {} }';
  const refused = [
    'endpoints[0].socketio.query.space: a client would choose its tenant: isolation.connection is {space}, which no ' +
      'token that is accepted here gives; take it from a token, or look at it with query.space in `require`, or with a ' +
      'check whose url has {space}',
  ];

  test.each([
    ['with no credentials', query, refused],
    ['as a list', 'query: { space: { list: "," } }', refused],
    ['from a field of another name', 'query: { space: { field: s } }', refused],
    ['beside tokens that lack it', `${bothTokens}, ${query}`, refused],
    ['beside tokens that may be left out', `${bothTokens.replace(' }]', ', optional: true }]')}, ${query}`, refused],
    ['where rooms are made of it', `${query}, rooms: [{ templates: ["tenants/{space}"] }]`, refused],
    [
      'where only some of its rooms look at it',
      `${query}, rooms: [{ firstOf: ["tenants/{space}"] }, { templates: ["tenants/{space}/a"], when: "query.space == 'x'" }]`,
      refused,
    ],
    [
      'where all of its rooms look at it',
      `${query}, rooms: [{ firstOf: ["tenants/{space}"], when: "query.space == 'x'" }, { templates: [common] }]`,
      [],
    ],
    ['with a condition about something else', `${query}, require: "'a' in permissions"`, refused],
    ['with a condition that asks only whether it is there', `${query}, require: "has(query.space)"`, refused],
    ['with a condition over a variable of like name', `${query}, require: "query.spaces == claims.s"`, refused],
    ['with a condition over a claim of that name', `${query}, require: "claims.query.space == 'a'"`, refused],
    ['with a check that asks about something else', `${query}, checks: [other]`, refused],
    [
      'with a check that the condition leaves out',
      `${query}, checks: [s, other], require: "check.other && claims.a == 'b'"`,
      refused,
    ],
    ['with a condition that reads it', `${query}, require: "query.space in claims.spaces"`, []],
    ['with a condition that reads it in brackets', `${query}, require: "claims.s == query[ 'space' ]"`, []],
    ['with a check that asks about it', `${query}, checks: [other, s]`, []],
    ['with that check and a condition that reads none', `${query}, checks: [s], require: "'a' in permissions"`, []],
    ['with that check in the condition', `${query}, checks: [s, other], require: "check.other || check['s']"`, []],
    ['with a check that is not there', `${query}, checks: [sp]`, [expect.stringContaining('"sp" is not in checks')]],
    ['which it does not', 'query: { topics: {} }', []],
  ])('%s', (_, settings, lines) => {
    expect(pathsAndMessages(endpoint(settings, `${checks}\n${space}`))).toEqual(lines);
  });

  test('without isolation it may', () => {
    expect(pathsAndMessages(endpoint(query, checks))).toEqual([]);
  });

  test('one that some kinds of token give is no variable of the query for the others', () => {
    const settings = `${bothTokens}, query: { user: {} }`;
    expect(pathsAndMessages(endpoint(settings, tenants.replace('{tenant}', '{user}')))).toEqual([
      'endpoints[0].socketio.query.user: tokens of the kind iam give {user} already; give it another name',
    ]);
  });
});

describe('publishing', () => {
  const source = (settings: string, more = '') => `
sources: [{ name: broker, memory: {} }, { http: { ${settings} } }]
endpoints: [{ socketio: {} }]
${tokens}
${more}
`;
  const anyToken = 'credentials: [{ from: header.authorization, accepts: [ocms] }]';
  const credentials = `${anyToken}, require: "'publish' in permissions"`;

  test.each([
    [
      'an event and the token’s variables can be read',
      `${anyToken}, require: "event.attributes['T'] == variables.tenant"`,
      [],
    ],
    ['it goes to a source that takes it', `${credentials}, publishTo: broker`, []],
    [
      'it goes to a source that is not there',
      `${credentials}, publishTo: brokr`,
      ['sources[1].http.publishTo: "brokr" is not in the sources that can publish; there are broker'],
    ],
    [
      'it goes to itself',
      `${credentials}, publishTo: http`,
      ['sources[1].http.publishTo: "http" is not in the sources that can publish; there are broker'],
    ],
    [
      'nobody says who may',
      '',
      [expect.stringMatching(/^sources\[1\].http.credentials: without credentials everybody could publish; /)],
    ],
    [
      'nobody says what a token is good for',
      anyToken,
      [expect.stringMatching(/^sources\[1\].http.require: without a condition every token could publish anything; /)],
    ],
    [
      'its condition is no text',
      `${anyToken}, require: 5`,
      ['sources[1].http.require: expected text, found a whole number; put it in quotes'],
    ],
    [
      'its condition cannot be read',
      `${anyToken}, require: "nobody.present"`,
      [expect.stringContaining('sources[1].http.require: condition: ')],
    ],
    [
      'a check asks about what a publisher does not have',
      `${credentials}, checks: [c]`,
      ['sources[1].http.checks[0]: nothing gives {connection}; there are tenant, workstation'],
    ],
  ])('%s', (_, settings, lines) => {
    expect(pathsAndMessages(source(settings, 'checks: { c: { url: "https://example.com/{connection}" } }'))).toEqual(
      lines,
    );
  });

  test('in development everybody may', () => {
    expect(load(source('', 'development: true')).ok).toBe(true);
  });
});

describe('development', () => {
  const config = (more: string) => `sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\n${more}`;

  test.each([
    ['development: true', true],
    ['development: true\nlisten: { host: "::1" }', true],
    ['development: true\nlisten: { host: localhost }', true],
    ['development: { exposed: false }\nlisten: { host: 127.0.0.2 }', true],
    ['development: { exposed: true }\nlisten: { host: 0.0.0.0 }', true],
    ['development: false\nlisten: { host: 0.0.0.0 }', true],
    ['listen: { host: 0.0.0.0 }', true],
    ['development: true\nlisten: { host: 0.0.0.0 }', false],
    ['development: { exposed: false }\nlisten: { host: "::" }', false],
    ['development: true\nlisten: { host: gateway.example.com }', false],
  ])('%s', (more, ok) => {
    expect(pathsAndMessages(config(more))).toEqual(
      ok ? [] : [expect.stringMatching(/^development: is for loopback, and listen.host is not; /)],
    );
  });

  test('tokens of the development issuer need it', () => {
    const token = 'identity: { tokens: { dev: { development: true } } }';
    expect(pathsAndMessages(config(token))).toEqual([
      expect.stringMatching(/^identity.tokens.dev.development: the development issuer exists only with /),
    ]);
    expect(pathsAndMessages(config(`${token}\ndevelopment: true`))).toEqual([]);
    expect(pathsAndMessages(config(`${token}\ndevelopment: maybe`))).toEqual([
      expect.stringMatching(/^development: expected/),
    ]);
  });
});
