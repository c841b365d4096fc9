import { describe, expect, test } from 'vitest';
import { bothTokens, endpoint, pathsAndMessages, problemsOf, tenants } from './config-fixture.ts';

describe('routes and isolation', () => {
  const config = (routes: string, more = tenants) => `
sources: [{ memory: {} }]
endpoints: [{ socketio: {} }]
routes: [${routes}]
${more}
`;

  test.each([
    [
      'a tenant’s rooms',
      '{ firstOf: ["tenants/{Tenant-Id}/users/{User-Id}", "tenants/{Tenant-Id}"], alsoUnder: "topics/{stream}" }',
      [],
    ],
    ['another tenant’s', '{ eachOf: ["tenants/{Other}"] }', [/^routes\[0\].eachOf\[0\]: .*another tenant/]],
    ['one tenant’s, spelled out', '{ eachOf: ["tenants/42"] }', [/^routes\[0\].eachOf\[0\]: .*another tenant/]],
    ['everybody’s', '{ eachOf: ["news"] }', [/^routes\[0\].eachOf\[0\]: .*withoutTenant/]],
    ['everybody’s on purpose', '{ eachOf: ["news"], withoutTenant: true }', []],
    [
      'a tenant’s for events without one',
      '{ eachOf: ["tenants/{Tenant-Id}"], withoutTenant: true }',
      [/^routes\[0\].eachOf\[0\]: .*marked withoutTenant/],
    ],
    [
      'below a prefix that hides the tenant',
      '{ eachOf: ["tenants/{Tenant-Id}"], alsoUnder: [elsewhere] }',
      [/^routes\[0\].alsoUnder\[0\]: /],
    ],
    [
      'a template that is never reached',
      '{ firstOf: ["tenants/{Tenant-Id}", "tenants/{Tenant-Id}/a"] }',
      [/^routes\[0\].firstOf\[1\]: .*never chosen/],
    ],
    [
      'narrowing that no template uses',
      '{ eachOf: ["tenants/{Tenant-Id}"], narrowing: [User-Id] }',
      [/^routes\[0\].narrowing\[0\]: /],
    ],
    [
      'a condition over what a route does not have',
      '{ eachOf: ["tenants/{Tenant-Id}"], when: "claims.a == 1" }',
      [/^routes\[0\].when: condition: there is no "claims"/],
    ],
    ['neither firstOf nor eachOf', '{ stream: a }', [/^routes\[0\]: needs either firstOf or eachOf$/]],
    ['both firstOf and eachOf', '{ firstOf: [a], eachOf: [a] }', [/^routes\[0\]: needs either firstOf or eachOf$/]],
    [
      'a pattern with too many #',
      '{ stream: "#.#.#.#.#", eachOf: ["tenants/{Tenant-Id}"] }',
      [/^routes\[0\].stream: /],
    ],
    [
      'the tenant as a list',
      '{ eachOf: ["tenants/{Tenant-Id}"], lists: { Tenant-Id: "," } }',
      [/^routes\[0\].lists: /],
    ],
    [
      'a wrong one between right ones',
      '{ eachOf: ["tenants/{Tenant-Id}"] }, { eachOf: ["a//b"] }, { eachOf: ["tenants/{Other}"] }',
      [/^routes\[1\].eachOf\[0\]: .*empty segment/, /^routes\[2\].eachOf\[0\]: .*another tenant/],
    ],
  ])('%s', (_, routes, lines) => {
    expect(pathsAndMessages(config(routes))).toEqual(lines.map((line) => expect.stringMatching(line)));
  });

  test('without isolation no room is anybody’s', () => {
    expect(pathsAndMessages(config('{ eachOf: ["tenants/42", news] }', ''))).toEqual([]);
  });

  test.each([
    [
      'event: Tenant-Id, connection: "{t}", rooms: ["t/{}"]',
      'isolation.event: must be one variable in braces, such as {tenant}',
    ],
    [
      'event: "{T}", connection: "{a}/{b}", rooms: ["t/{}"]',
      'isolation.connection: must be one variable in braces, such as {tenant}',
    ],
    [
      'event: "{T}", connection: "{t}", rooms: ["t/{x}"]',
      'isolation.rooms[0]: "t/{x}" must name the tenant\'s segment {} exactly once',
    ],
    ['event: "{T}", connection: "{t}", rooms: []', 'isolation.rooms: must have at least 1 item'],
  ])('isolation: { %s }', (fields, line) => {
    expect(pathsAndMessages(config('', `isolation: { ${fields} }`))).toEqual([line]);
  });

  test('rooms of connections keep it, too', () => {
    const text = endpoint(
      [
        bothTokens,
        'query: { site: {} }',
        'rooms: [{ templates: ["tenants/{tenant}", "tenants/{site}", "news"], under: "tenants/{user}" }]',
      ].join(', '),
      tenants,
    );
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      'endpoints[0].socketio.rooms[0].templates[0]',
      'endpoints[0].socketio.rooms[0].templates[1]',
      'endpoints[0].socketio.rooms[0].templates[2]',
    ]);
  });
});
