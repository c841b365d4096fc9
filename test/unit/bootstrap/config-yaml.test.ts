import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { depthMax, fileBytesMax, parseYaml, valuesMax } from '../../../src/bootstrap/config/parse-yaml.ts';
import { described, load, problemsOf } from './config-fixture.ts';

describe('what is wrong with the syntax is told with its place, and nothing of the file is quoted', () => {
  test.each([
    ['a second document', 'a: 1\n---\nb: 2\n', 2, 'the file holds a second document'],
    ['wrong indentation', 'a:\n  b: 1\n c: 2\n', 3, 'wrong indentation'],
    ['a tab', 'a:\n\tb: 1\n', 2, 'a tab; indent with spaces'],
    ['an open quote', 'a: 1\nb: "hunter22\n', 3, 'something is missing here'],
    ['an open bracket', 'a: [1, 2\nb: 3\n', 2, 'wrong indentation'],
    ['a second colon', 'a: hunter22: x\n', 1, 'a second "key:" on one line'],
    ['a reserved character', 'a: @hunter22\n', 1, 'needs quotes'],
    ['an unknown escape', 'a: "hunter22\\q"\n', 1, 'no such escape'],
    ['an unknown tag', 'a: !secret hunter22\n', 1, 'this tag is not known'],
    ['a JavaScript tag', 'a: !!js/function "hunter22"\n', 1, 'this tag is not known'],
    ['an unknown directive', '%HUNTER22\n---\na: 1\n', 1, 'directive'],
    ['text after a list', '- a\nhunter22: 1\n', 2, 'does not belong here'],
    ['a loose block header', 'a: |hunter22\n  b\n', 1, 'does not belong here'],
  ])('%s', (_, text, line, message) => {
    const problems = problemsOf(text);
    expect(problems[0]).toMatchObject({ path: '', line, message: expect.stringContaining(message) });
    expect(described(text)).not.toMatch(/hunter22/i);
  });

  test.each([
    ['in braces', 'listen: { port: ${PORT} }\nlog:\n  level: info\nroutes: []\n', [[1, 17]]],
    ['in brackets', 'a: 1\nb: [x, "${A}", ${B:-[c]}, d]\ne: f\n', [[2, 16]]],
    ['within text', 'a: { url: amqp://${HOST}/v,\n  b: c }\nd: e\n', [[1, 18]]],
    [
      'on two lines, one of them twice',
      'a: [${A}, ${B}]\nb: 1\nc: { d: ${D} }\n',
      [
        [1, 5],
        [3, 9],
      ],
    ],
    [
      'behind another fault',
      'a: 1: 2\nb: [${B}]\nc: d\n',
      [
        [1, 4],
        [2, 5],
      ],
    ],
  ])('a reference without quotes %s is told once, without what follows from it', (_, text, places) => {
    const problems = problemsOf(text);
    expect(problems.map(({ line, column }) => [line, column])).toEqual(places);
    expect(problems.at(-1)?.message).toBe('within { } and [ ] a reference needs quotes: "${NAME}"');
  });

  test('braces that are no reference are faults like any other', () => {
    for (const text of ['a: ["$", {b: c}]\nd: [\n', 'a: [$, {b: c}]\nd: [\n', '# $\na: {b: c}\nd: [\n']) {
      expect(problemsOf(text).map(({ message }) => message)).not.toContainEqual(expect.stringContaining('reference'));
    }
  });

  test('one line with many faults is one problem, and no file has more than ten', () => {
    expect(problemsOf('a: """"""""""""""""""""\n')).toHaveLength(1);
    expect(problemsOf('a: @x\n'.repeat(50))).toHaveLength(10);
  });
});

describe('what is wrong with keys and values though the syntax is right', () => {
  test('a key that is given twice is told with both places', () => {
    const [problem, ...others] = problemsOf(
      'sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\nunroutable: accept\nunroutable: dead-letter\n',
    );
    expect(problem).toMatchObject({ path: 'unroutable', line: 4, column: 1, message: 'given twice, first in line 3' });
    expect(others).toEqual([]);
  });

  test.each([
    ['[1]: a', 'a key must be text'],
    ['~: a', 'a key must be text'],
    ['__proto__: { polluted: true }', 'a key must be text'],
    ['a: *nowhere', 'no anchor of this name before it'],
    ['a: !!binary aGk=', 'a value is text, a number, true or false'],
  ])('%s', (text, message) => {
    expect(problemsOf(text).map((problem) => problem.message)).toContainEqual(expect.stringContaining(message));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('keys are names as they are written', () => {
    const parsed = parseYaml('{ 0001: a, 1: b, true: c, "2": d }');
    const root = parsed.ok ? parsed.value.root : undefined;
    expect(root?.kind === 'map' && [...root.entries.keys()]).toEqual(['0001', '1', 'true', '2']);
  });

  test('YAML 1.2: yes, on and dates are text, and << is a key', () => {
    expect(described('sources: [{ memory: { paused: yes } }]\nendpoints: [{ socketio: {} }]\n')).toContain(
      'sources[0].memory.paused: expected true or false, found text',
    );
    expect(described('a: &a { b: 1 }\n<<: *a\n')).toContain('["<<"]: unknown key');
  });

  test.each(['', '\n', '# nothing', 'null', '---\n', 'text', '[]', '1'])('%j is no config', (text) => {
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({
        path: '',
        line: expect.any(Number),
        message: expect.stringMatching(/^expected sections/),
      }),
    ]);
  });

  test('a byte order mark and CRLF are nothing special', () => {
    expect(problemsOf('\uFEFFsources: [{ memory: {} }]\r\nendpoints: [{ socketio: {} }]\r\nx: 1\r\n')).toEqual([
      expect.objectContaining({ path: 'x', line: 3, column: 1 }),
    ]);
  });

  test('anchors and aliases stand for their values', () => {
    const config = load(
      'sources: [{ memory: &m { inFlightMax: 2 } }, { name: b, memory: *m }]\nendpoints: [{ socketio: {} }]\n',
    );
    expect(config.ok && config.value.sources.map(({ settings }) => settings)).toEqual([
      expect.objectContaining({ inFlightMax: 2 }),
      expect.objectContaining({ inFlightMax: 2 }),
    ]);
  });
});

/** Slow is what these would be if they did harm; a busy machine is not. */
const patience = { timeout: 30_000 };

describe('a file that means to do harm is refused at once', patience, () => {
  const billionLaughs = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    .concat(Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(', ')}]`))
    .join('\n');

  test.each([
    ['a billion laughs', billionLaughs, `more than ${valuesMax} values`],
    ['an alias within itself', 'a: &a [*a, *a]', `more than ${valuesMax} values`],
    ['an alias within itself, once', 'a: &a { b: *a }', `nested more than ${depthMax} levels deep`],
    ['many values', `[${'1,'.repeat(valuesMax + 1)}]`, `more than ${valuesMax} values`],
    ['many brackets', '['.repeat(fileBytesMax), `nested more than ${depthMax} levels deep`],
    ['many braces', '{a: '.repeat(30_000), `nested more than ${depthMax} levels deep`],
    ['many dashes', '- '.repeat(60_000), `nested more than ${depthMax} levels deep`],
    ['many question marks', '? '.repeat(60_000), `nested more than ${depthMax} levels deep`],
    ['many colons', ': '.repeat(60_000), `nested more than ${depthMax} levels deep`],
    ['a staircase', Array.from({ length: 500 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'), 'nested'],
    ['too many bytes', `# ${'ü'.repeat(fileBytesMax / 2)}`, `has at most ${fileBytesMax}`],
  ])('%s', (_, text, message) => {
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.message)).toContainEqual(expect.stringContaining(message));
  });

  test.each([
    ['anchors', '&a '.repeat(40_000)],
    ['quotes', '"'.repeat(130_000)],
    ['keys', Array.from({ length: 9000 }, (_, n) => `k${n}: `).join('\n')],
    ['wrong items', `routes:\n${'- {x: 1}\n'.repeat(3000)}`],
    ['wrong adapters', `sources:\n${'- memory: {a: 1}\n'.repeat(2000)}`],
    ['line breaks', '\n'.repeat(130_000)],
    ['block scalar', `a: |\n${' \n'.repeat(60_000)}`],
  ])('%s by the thousand are no work', (_, text) => {
    expect(load(text).ok).toBe(false);
  });

  test('no file has more than a hundred problems', () => {
    const problems = problemsOf(Array.from({ length: 250 }, (_, n) => `k${n}: 1`).join('\n'));
    expect(problems).toHaveLength(101);
    // Two sections are missing, too.
    expect(problems.at(-1)).toMatchObject({ path: '', line: 99, message: 'and 152 more problems from here on' });
  });

  test('the limit on depth is exact, and is told with its place', () => {
    expect(parseYaml(`a:\n ${'['.repeat(depthMax)}${']'.repeat(depthMax)}`).ok).toBe(true);
    expect(parseYaml(`a:\n ${'['.repeat(depthMax + 1)}`)).toEqual({
      ok: false,
      reason: [expect.objectContaining({ at: { line: 2, column: depthMax + 2 } })],
    });
  });
});

describe('whatever the file holds, the answer is a config or problems', patience, () => {
  const isAnswer = (text: string): void => {
    const config = load(text, { HOME: '/root' });
    if (!config.ok) {
      expect(config.reason.length).toBeGreaterThan(0);
      for (const problem of config.reason) {
        expect(problem.line).toBeGreaterThan(0);
        expect(problem.column).toBeGreaterThan(0);
        expect(problem.message).not.toBe('');
      }
    }
  };
  const names = [
    'sources',
    'endpoints',
    'routes',
    'identity',
    'tokens',
    'memory',
    'socketio',
    'firstOf',
    'rooms',
    'when',
  ];
  const key = fc.oneof(fc.constantFrom(...names, '__proto__', 'constructor', 'toString'), fc.string());
  const scalar = fc.oneof(
    fc.string(),
    fc.constantFrom('${HOME}', '${NONE}', '${', 'tenants/{t}', '#', '', "'a' in permissions"),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  );
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof({ maxDepth: 5 }, scalar, fc.array(tie('document')), fc.dictionary(key, tie('document'))),
  }));

  test('for any document', () => {
    fc.assert(fc.property(document, (value) => isAnswer(JSON.stringify(value) ?? '')));
  });

  test('for any text', () => {
    const token = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '"',
      "'",
      '|',
      '#',
      '${',
      '?',
      '!',
      '%',
      ',',
      '\t',
      '\uFEFF',
      '\x02',
      '\x18',
      '\x1f',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.array(token).map((tokens) => tokens.join('')),
        isAnswer,
      ),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isAnswer));
  });

  test('for any section in its place', () => {
    const section = fc.constantFrom(
      'listen',
      'development',
      'log',
      'identity',
      'checks',
      'routes',
      'isolation',
      'delivery',
      'limits',
    );
    fc.assert(
      fc.property(section, document, (name, value) =>
        isAnswer(JSON.stringify({ sources: [{ memory: {} }], endpoints: [{ socketio: {} }], [name]: value })),
      ),
    );
  });
});
