import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import { described, minimal } from './config-fixture.ts';

describe('no value of the environment and no secret is ever shown', () => {
  const secret = 'hunter22-correct-horse';
  const object = JSON.stringify({ [secret]: secret, a: { [secret]: [secret, { [secret]: 5 }] } });
  const environment = { SECRET: secret, LIST: `a,${secret},b`, LEVEL: 'inof', OBJECT: object };
  const base = `
sources: [{ memory: {} }]
identity: { tokens: { ocms: { variables: { tenant: [tid] } } } }
`;

  test.each([
    ['a number', 'listen: { port: "${SECRET}" }'],
    ['a choice', 'log: { level: "${SECRET}" }'],
    ['a list item', 'routes: [{ firstOf: "${LIST}", narrowing: "${LIST}" }]'],
    ['a template', 'routes: [{ eachOf: ["{x}{${SECRET}", "tenants//${SECRET}"] }]'],
    ['a condition', 'routes: [{ eachOf: [a], when: "event.${SECRET}(" }, { eachOf: [a], when: "${SECRET}" }]'],
    [
      'a reference to a kind of token',
      'endpoints: [{ socketio: { credentials: [{ from: auth.t, accepts: ["${SECRET}"] }] } }]',
    ],
    ['a reference to a check', 'endpoints: [{ socketio: { checks: "${LIST}" } }]'],
    [
      'a name given twice',
      'endpoints: [{ name: "${SECRET}", socketio: {} }, { name: "${SECRET}", socketio: { path: /b } }]',
    ],
    [
      'a path given twice',
      'endpoints: [{ name: a, socketio: { path: "/${SECRET}" } }, { socketio: { path: "/${SECRET}/" } }]',
    ],
    ['a URL', 'checks: { c: { url: "http://user:${SECRET}@example.com" } }'],
    [
      'a too short text',
      'sources: [{ memory: { password: "${SECRET}" } }, { memory: { password: "x${SECRET}", extra: "${SECRET}" } }]',
    ],
    ['an adapter', 'sources: ["${SECRET}"]'],
    ['an unset neighbour', 'isolation: { event: "${SECRET}${NONE}", connection: "${SECRET}", rooms: ["${SECRET}"] }'],
    ['a reference that is none', 'unroutable: "${SECRET"'],
    ['an object in JSON', 'checks: "${OBJECT}"\nendpoints: [{ socketio: { query: "${OBJECT}" } }]'],
    ['what is no object in JSON', 'checks: "${SECRET}"\nidentity: { tokens: "${LIST}" }'],
  ])('%s', (_, text) => {
    const lines = described(`${text.startsWith('sources') ? '' : 'sources: [{ memory: {} }]\n'}${text}\n`, environment);
    expect(lines).not.toBe('');
    expect(lines).not.toContain(secret);
    expect(lines).not.toContain('hunter22');
  });

  test('in any place', () => {
    const places = [
      'listen: { host: V, port: V }',
      'log: { format: V }',
      'development: V',
      'endpoints: [{ socketio: { rooms: [{ templates: [V, "a/V"], when: V, under: "V/V" }] } }]',
      'endpoints: [{ socketio: { query: { a: { list: V, field: V } }, checks: V, require: V } }]',
      'routes: [{ stream: V, key: V, when: V, firstOf: V, keyParts: V, lists: { a: V }, alsoUnder: V }]',
      'isolation: { event: V, connection: V, rooms: V }',
      'identity: { tokens: { a: { jwks: V, issuers: V, variables: { t: V } } } }',
      'identity: { tokens: V }',
      'identity: { tokens: { a: { variables: V } } }',
      'checks: V',
      'checks: { c: V }',
      'routes: [{ eachOf: [a], lists: V }]',
    ];
    const value = fc.constantFrom(
      '"${SECRET}"',
      '"${LIST}"',
      '"x${SECRET}"',
      '"{${SECRET}"',
      '"${SECRET} +"',
      '"a/${SECRET}//"',
      '"${OBJECT}"',
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.array(value, { minLength: 8, maxLength: 8 }), (place, values) => {
        let next = 0;
        const text = place.replaceAll(/"a\/V"|"V\/V"|V/g, () => values[next++ % values.length] ?? '');
        expect(described(`${base}${text}\n`, environment)).not.toContain('hunter22');
      }),
    );
  });

  test('nor the names of an object in JSON, where others are told what there is', () => {
    const checks = JSON.stringify({ [secret]: { url: 'https://example.com/' } });
    const text = 'checks: "${CHECKS}"\nsources: [{ memory: {} }]\nendpoints: [{ socketio: { checks: [nope] } }]';
    expect(described(text, { CHECKS: checks })).toBe(
      'edgeward.yaml:3:36  endpoints[0].socketio.checks[0]: "nope" is not in checks; there are ${CHECKS}',
    );
  });

  test('the message says which variable it is, and what is wanted', () => {
    expect(described(`${minimal}log: { level: "\${LEVEL}" }`, environment)).toBe(
      'edgeward.yaml:4:15  log.level: must be one of debug, info, warn, error, silent (from ${LEVEL}) ' +
        '(did you mean "info"?)',
    );
    expect(described(`${minimal}routes: [{ eachOf: ["\${SECRET}//"] }]`, environment)).toContain(
      'routes[0].eachOf[0]: the value of ${SECRET} is not accepted here',
    );
  });

  test('of a name that is taken, where it is taken', () => {
    const text = 'endpoints: [{ name: "${SECRET}", socketio: {} }, { name: "${SECRET}", socketio: { path: /b } }]';
    expect(described(`sources: [{ memory: {} }]\n${text}`, environment)).toBe(
      'edgeward.yaml:2:58  endpoints[1].name: is the name of endpoints[0], too; give one of them another ' +
        '(from ${SECRET})',
    );
  });

  test('nor in what a rule of a whole section says', () => {
    const schema = z.strictObject({ section: z.strictObject({ text: z.string() }) }).superRefine((value, context) => {
      context.addIssue({ code: 'custom', message: `section says ${value.section.text}`, path: ['section'] });
    });
    const loader = createConfigLoader({ schema, check: () => [] });
    expect(loader('section: { text: "${SECRET}" }', environment)).toMatchObject({
      reason: [{ path: 'section', message: 'section says ${SECRET}' }],
    });
  });

  test('a literal in the file is not shown either', () => {
    const lines = described(
      `sources: [{ memory: { password: ${secret.slice(0, 7)}, inFlightMax: ${secret}, paused: ${secret} } }]`,
    );
    expect(lines.split('\n').length).toBeGreaterThan(2);
    expect(lines).not.toContain(secret.slice(0, 7));
  });
});
