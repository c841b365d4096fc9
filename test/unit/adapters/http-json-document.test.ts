import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJson } from '../../../src/adapters/inbound/json-document.ts';
import { allowedValue, refusalReason } from '../../support/domain-fixtures.ts';

const read = (text: string | Uint8Array, depthMax = 8) =>
  readJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, { depthMax, member: 'data' });

/** A text of JSON with spaces in it, where JSON.stringify puts none. */
const spaced = (value: unknown, space: number): string => JSON.stringify(value, null, space);

describe('the text of a member', () => {
  const cases: readonly (readonly [text: string, expected: readonly (readonly [number, string])[]])[] = [
    ['{"data": 1.0 }', [[0, '1.0']]],
    ['{"data":12345678901234567890,"a":1}', [[0, '12345678901234567890']]],
    ['{ "a" : {"data":1}, "data" :\r\n[ 1,{"data":2} ]\t}', [[0, '[ 1,{"data":2} ]']]],
    ['{"data":"a\\"}, \\\\","x":0}', [[0, '"a\\"}, \\\\"']]],
    ['{"\\u0064ata":null}', [[0, 'null']]],
    ['{"x":"data"}', []],
    ['{"x":["data",1]}', []],
    [
      '[{"data":{}},{"x":0},[{"data":3}], {"data" : " "}]',
      [
        [0, '{}'],
        [3, '" "'],
      ],
    ],
    ['[["data",1]]', []],
    ['"data"', []],
    ['[]', []],
  ];

  test.each(cases)('%s', (text, expected) => {
    expect([...allowedValue(read(text)).memberTexts]).toEqual(expected);
  });

  test('is what was sent, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 5 }), fc.nat(3), (values, space) => {
        const texts = values.map((value) => spaced(value, space));
        const items = texts.map((text) => `{"before":[{}],\n"data": ${text}\t,"after":{"data":0}}`);
        const { memberTexts } = allowedValue(read(`[${items.join(' , ')}]`, 16));
        expect([...memberTexts.values()]).toEqual(texts);
      }),
    );
  });
});

describe('the value', () => {
  test('is what JSON.parse makes of the text', () => {
    // Names that need an escape are another matter, below.
    const plain = fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('\\'));
    fc.assert(
      fc.property(plain, fc.nat(2), (value, space) => {
        const text = spaced(value, space);
        expect(allowedValue(read(text, 16)).value).toEqual(JSON.parse(text));
      }),
    );
  });

  test('has `__proto__` as a name like any other', () => {
    const { value } = allowedValue(read('{"__proto__":{"polluted":true}}'));
    expect(Object.hasOwn(Object(value), '__proto__')).toBe(true);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('nodejs/node#63785: an escaped name is never taken for another publisher’s', () => {
    const poison = '{"Tenant-Id":"A","\\\\u0055s":"x"}';
    const victim = '{"Tenant-Id":"B","\\u0055ser-Id":"u"}';
    JSON.parse(poison);
    read(poison);
    expect(Object.keys(Object(allowedValue(read(victim)).value))).toEqual(['Tenant-Id', 'User-Id']);
  });

  test.each(['"a\\"b"', '"a\\\\b"', '"\\n"', '"\\u0007"', '"\\ud800"'])('a name %s is refused', (name) => {
    expect(refusalReason(read(`{${name}:1}`))).toMatch(/^has a name with a quotation mark, a backslash or a control/);
  });

  test('but below the member, where no name is read, it may stand', () => {
    const { memberTexts } = allowedValue(read('{"data":{"a\\"b":{"\\n":1}}}'));
    expect(memberTexts.get(0)).toBe('{"a\\"b":{"\\n":1}}');
  });

  test('names with letters beyond ASCII may be escaped, as Python writes them', () => {
    expect(allowedValue(read('{"Gr\\u00f6\\u00dfe":1,"\\ud83d\\udc4d":2}')).value).toEqual({ Größe: 1, '👍': 2 });
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [what: string, text: string | Uint8Array, reason: string])[] = [
    ['nothing', '', 'is not valid JSON'],
    ['invalid UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'is not valid UTF-8'],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'is not valid UTF-8'],
    ['a byte order mark', '\ufeff{}', 'begins with a byte order mark'],
    ['a name twice', '{"a":1,"b":2,"a":3}', 'has a name twice in one object, at position 13'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}', 'has a name twice in one object, at position 7'],
    ['a name twice below', '[{"x":{"a":1,"a":2}}]', 'has a name twice in one object, at position 13'],
    ['too much depth', '[[[[[[[[[1]]]]]]]]]', 'is nested deeper than 8 levels'],
    ['depth without end', '['.repeat(1_000_000), 'is nested deeper than 8 levels'],
    ['depth without end, in turns', '{"a":['.repeat(100_000), 'is nested deeper than 8 levels'],
    ['a comma too many', '{"a":1,}', 'is not valid JSON'],
    ['a comment', '{"a":1 /* one */}', 'is not valid JSON'],
    ['NaN', '{"a":NaN}', 'is not valid JSON'],
    ['two values', '{} {}', 'is not valid JSON'],
    ['an open text', '{"a', 'is not valid JSON'],
    ['an open escape', '"\\', 'is not valid JSON'],
    ['brackets that do not match', '{"a":1]}', 'is not valid JSON'],
    ['only closing ones', ']]}}', 'is not valid JSON'],
  ];

  test.each(cases)('%s', (_what, text, reason) => {
    // Where it is not valid the engine may say at which position, which differs from one version to the next.
    expect(refusalReason(read(text)).replace(/^(is not valid JSON) at position \d+$/, '$1')).toBe(reason);
  });

  test('a reason never quotes the body', () => {
    expect(refusalReason(read('secret'))).not.toContain('secret');
    expect(refusalReason(read('{"token": secret}'))).not.toContain('secret');
  });

  test('names may come again in another object, and eight levels are not too deep', () => {
    expect(read('[{"a":1},{"a":{"a":[{"a":1},{"a":2}]}}]').ok).toBe(true);
    expect(read('[[[[[[[[1]]]]]]]]').ok).toBe(true);
  });

  test('brackets and quotation marks inside of texts count for nothing', () => {
    expect(read('{"a":"[[[[[[[[[[","b":"\\"a\\":1,\\"a\\":2"}').ok).toBe(true);
  });

  test('every text is judged as JSON.parse judges it, and none goes on for ever', () => {
    const tokens = ['{', '}', '[', ']', ',', ':', '"a"', '"b"', '"data"', '1', 'null', ' ', '"', '\\', '\\"', 'x'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 14 }), (parts) => {
        const text = parts.join('');
        const isJson = isParsed(text);
        const verdict = read(text, 100);
        // It is stricter about names that come twice, and in nothing else.
        if (verdict.ok) expect(isJson).toBe(true);
        else if (isJson) expect(verdict.reason).toMatch(/^has a name twice/);
      }),
      { numRuns: 3000 },
    );
  });
});

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
