import { describe, expect, test } from 'vitest';
import { websocketSettings } from '../../../src/adapters/outbound/websocket/websocket-settings.ts';

const problemsOf = (settings: Record<string, unknown>) => {
  const parsed = websocketSettings.safeParse(settings);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

test('everything has a default, and none opens anything', () => {
  expect(websocketSettings.parse({})).toMatchObject({
    paths: ['/subscribe'],
    exchanges: {},
    overlappingBinds: 'each',
    refusals: 'close',
    bindsPerConnectionMax: 100,
    bindsPerSecondMax: 50,
    frameBytesMax: 65_536,
    idleMsMax: 0,
  });
});

describe('exchanges', () => {
  test.each([
    [{ public: true }, []],
    [{ require: 'true' }, []],
    [{ checks: ['a'], keyParts: ['x', '', '', 'y'] }, []],
    [{}, ['exchanges.s: say who may bind it: `require`, `checks` or `public: true`']],
    [
      { public: true, require: 'true' },
      ['exchanges.s: `public` lets everybody in; leave it out, or `require` and `checks`'],
    ],
    [
      { public: true, keyParts: ['a', 'a', 'key', 'stream'] },
      [
        'exchanges.s.keyParts.1: stands here twice; give it another name',
        'exchanges.s.keyParts.2: is there for every bind; give it another name',
        'exchanges.s.keyParts.3: is there for every bind; give it another name',
      ],
    ],
  ])('%o', (exchange, problems) => {
    expect(problemsOf({ exchanges: { s: exchange } })).toEqual(problems);
  });

  test('are named by patterns', () => {
    expect(problemsOf({ exchanges: { 'orders.#': { public: true } } })).toEqual([]);
    expect(problemsOf({ exchanges: { '#.#.#.#.#': { public: true } } })).toEqual([
      'exchanges.#.#.#.#.#: "#.#.#.#.#" has more than 4 "#"',
    ]);
  });
});

test.each([
  [{ paths: [] }, 'paths'],
  [{ paths: ['subscribe'] }, 'paths.0'],
  [{ paths: ['/a?b'] }, 'paths.0'],
  [{ health: { corsOrigins: ['https://a.example/'] } }, 'health.corsOrigins.0'],
  [{ overlappingBinds: 'never' }, 'overlappingBinds'],
  [{ bindsPerConnectionMax: 0 }, 'bindsPerConnectionMax'],
])('%o is refused', (settings, path) => {
  expect(problemsOf(settings).map((problem) => problem.split(':')[0])).toEqual([path]);
});
