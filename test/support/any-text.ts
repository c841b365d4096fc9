import fc from 'fast-check';

/** Text of any UTF-16 code units, halves of surrogate pairs included, and the names that objects have. */
export const anyText = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('', '__proto__', 'constructor', 'toString', 'a', 'A', 'a-b', 'A_B', '"', '\\', '\u2028'),
    fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  );

/**
 * Text that stands in JSON as it is. For names of what is parsed again: `JSON.parse` of Node 24 and 26 misreads names
 * with an escape once it has met others (https://github.com/nodejs/node/issues/63785).
 */
export const anyName = (): fc.Arbitrary<string> => anyText().filter((text) => JSON.stringify(text) === `"${text}"`);
