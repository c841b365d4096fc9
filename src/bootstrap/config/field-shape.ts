/** The parts of JSON Schema (draft 2020-12) that zod writes for a config's input. */
export type JsonSchema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly [keyword: string]: unknown;
};

/** What may stand at a place of the config: alternatives, of which none is itself a choice. */
export type FieldShape = readonly JsonSchema[];

export function fieldShape(schema: JsonSchema): FieldShape {
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...choices.flatMap(fieldShape)];
}

/** What may stand below a key or list position. */
export function shapeBelow(shape: FieldShape, part: string | number): FieldShape {
  return shape.flatMap((schema) => {
    const below = typeof part === 'number' ? schema.items : propertyOf(schema, part);
    return below === undefined || typeof below === 'boolean' ? [] : fieldShape(below);
  });
}

function propertyOf(schema: JsonSchema, key: string): JsonSchema | boolean | undefined {
  const properties = schema.properties ?? {};
  return Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties;
}

/** Whether what is below a key may be left out: a field that is optional or has a default, never a list's item. */
export const mayBeAbsent = (shape: FieldShape, part: string | number): boolean =>
  shape.some(
    ({ properties = {}, required = [] }) =>
      typeof part === 'string' && Object.hasOwn(properties, part) && !required.includes(part),
  );

/** The names of the fields that may stand here, in the order of the schema. */
export const knownKeys = (shape: FieldShape): readonly string[] => [
  ...new Set(shape.flatMap((schema) => Object.keys(schema.properties ?? {}))),
];

/** What the field is for, in the schema's words. */
export const descriptionOf = (shape: FieldShape): string | undefined =>
  shape.find((schema) => schema.description !== undefined)?.description;

/** The keys of which exactly one must stand in an object: those of alternatives that have one key each. */
export function alternativeKeys(shape: FieldShape): readonly string[] {
  const objects = shape.flatMap(({ properties }) => (properties ? [Object.keys(properties)] : []));
  return objects.length > 1 && objects.every(({ length }) => length === 1) ? knownKeys(shape) : [];
}

/** The keys of which exactly one must stand in an object: an item's adapters. */
export const choiceKeys = (shape: FieldShape): readonly string[] =>
  shape.flatMap(({ oneOf = [] }) => oneOf.flatMap(({ type, required = [] }) => (type === undefined ? required : [])));
