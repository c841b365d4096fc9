import fc from 'fast-check';

const nasty = [
  '/',
  '..',
  '../',
  '//',
  '%',
  '%2F',
  '%25',
  '%252F',
  ',',
  '.',
  '*',
  '#',
  '{}',
  '{t}',
  '__proto__',
  ' ',
  '\0',
];

/** Halves of surrogate pairs included. */
const anyCodeUnit = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code));

/** Text of the kind that breaks out of places: separators, escapes, dots, prototypes, nothing at all. */
export const hostileText = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('', 'a', 'b', 'constructor', 'toString', ...nasty) },
    {
      weight: 3,
      arbitrary: fc.array(fc.constantFrom('a', 'b', ...nasty), { maxLength: 5 }).map((parts) => parts.join('')),
    },
    { weight: 1, arbitrary: fc.string({ unit: anyCodeUnit, maxLength: 8 }) },
  );
