import type { JsonSchema } from './field-shape.ts';

/**
 * The schema of a config for editors: where a number, a list or a constrained text is wanted, `${NAME}` may stand, too.
 *
 * @param schema what the loader validates after references were replaced.
 */
export function editorSchema(schema: JsonSchema): JsonSchema {
  const { $schema, ...root } = schema;
  return {
    $schema,
    title: 'Edgeward config',
    ...withReferences(root),
    $defs: {
      reference: {
        type: 'string',
        pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-.*)?\\}$',
        description: `A value from the environment: \${NAME} or \${NAME:-default}.`,
      },
      textWithReference: { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-.*)?\\}' },
    },
  };
}

function withReferences(schema: JsonSchema): JsonSchema {
  const below = withReferencesBelow(schema);
  const reference = referenceFor(schema);
  if (reference === undefined) return below;
  const { description, default: fallback, ...rest } = below;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [rest, { $ref: `#/$defs/${reference}` }],
  };
}

function withReferencesBelow(schema: JsonSchema): JsonSchema {
  const { properties, additionalProperties, items, anyOf, oneOf } = schema;
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, withReferences) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: withReferences(additionalProperties) }),
    ...(typeof items === 'object' && { items: withReferences(items) }),
    ...(anyOf && { anyOf: anyOf.map(withReferences) }),
    ...(oneOf && { oneOf: oneOf.map(withReferences) }),
  };
}

/** Comma text stands for a list of scalars only, JSON for an object by names. */
function referenceFor(schema: JsonSchema): 'reference' | 'textWithReference' | undefined {
  const { type, items, additionalProperties } = schema;
  if (type === 'number' || type === 'integer' || type === 'boolean') return 'reference';
  if (type === 'array') return typeof items === 'object' && isScalar(items) ? 'reference' : undefined;
  if (type === 'object') return typeof additionalProperties === 'object' ? 'reference' : undefined;
  if (type !== 'string') return undefined;
  const constraints = ['enum', 'const', 'pattern', 'format', 'allOf', 'maxLength'];
  return constraints.some((keyword) => keyword in schema) ? 'textWithReference' : undefined;
}

const isScalar = ({ type }: JsonSchema): boolean => type !== undefined && type !== 'object' && type !== 'array';

const mapValues = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Readonly<Record<string, U>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
