import { choiceKeys, fieldShape, type JsonSchema } from './field-shape.ts';

export type PageRequest = {
  /** The config's schema. */
  readonly schema: JsonSchema;
  /** What stands above the tables. */
  readonly introduction: string;
  /** Fields that several adapters have; they get a section of their own and are told once. */
  readonly shared: { readonly title: string; readonly text: string; readonly schema: JsonSchema };
};

/** The reference page in Markdown: a table per section, and one per adapter. */
export function referencePage({ schema, introduction, shared }: PageRequest): string {
  const sections = Object.entries(schema.properties ?? {}).map(([name, section]) =>
    sectionText(name, section, schema.required?.includes(name) ?? false, shared),
  );
  const sharedSection = [`## ${shared.title}`, shared.text, table(rowsBelow(shared.schema, ''))].join('\n\n');
  return `${[introduction, ...sections, sharedSection].join('\n\n')}\n`;
}

function sectionText(name: string, section: JsonSchema, required: boolean, shared: PageRequest['shared']): string {
  const choice = adapterChoice(section);
  const parts = [`## ${name}`, section.description ?? ''];
  if (choice) {
    parts.push(
      'A list with one item at least. Each item has one adapter as its key, with the settings below, and may have:',
      table(choice.common.map(([key, field]) => row(key, field, false))),
      ...choice.adapters.map(([kind, each]) => adapterText(name, kind, each, shared)),
    );
  } else {
    const rows = rowsBelow(section, '');
    const present = presence(section, required);
    parts.push(`${capitalized(typeText(section))}; ${present.startsWith('`') ? `by default ${present}` : present}.`);
    if (rows.length > 0) parts.push(table(rows));
  }
  return parts.join('\n\n');
}

const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

type Field = readonly [key: string, schema: JsonSchema];

/** Of a list whose items choose an adapter each: the fields that all have, and the adapters. */
function adapterChoice({ items }: JsonSchema): { common: readonly Field[]; adapters: readonly Field[] } | undefined {
  if (typeof items !== 'object') return undefined;
  const kinds = new Set(choiceKeys(fieldShape(items)));
  if (kinds.size === 0) return undefined;
  const fields = Object.entries(items.properties ?? {});
  return {
    common: fields.filter(([key]) => !kinds.has(key)),
    adapters: fields.filter(([key]) => kinds.has(key)),
  };
}

function adapterText(section: string, kind: string, adapter: JsonSchema, shared: PageRequest['shared']): string {
  const own = Object.entries(adapter.properties ?? {}).filter(([key, field]) => !isShared(key, field, shared.schema));
  const count = Object.keys(adapter.properties ?? {}).length - own.length;
  const anchor = shared.title.toLowerCase().replaceAll(' ', '-');
  return [
    `### ${section}: ${kind}`,
    adapter.description ?? '',
    ...(count > 0 ? [`Has fields of [${shared.title}](#${anchor}), too: ${sharedKeys(adapter, shared)}.`] : []),
    table(rowsBelow({ ...adapter, properties: Object.fromEntries(own) }, '')),
  ].join('\n\n');
}

const isShared = (key: string, field: JsonSchema, shared: JsonSchema): boolean =>
  JSON.stringify(shared.properties?.[key]) === JSON.stringify(field);

const sharedKeys = (adapter: JsonSchema, shared: PageRequest['shared']): string =>
  Object.entries(adapter.properties ?? {})
    .filter(([key, field]) => isShared(key, field, shared.schema))
    .map(([key]) => code(key))
    .join(', ');

type Row = readonly [key: string, type: string, presence: string, meaning: string];

/** One row for each field below, however deep: `tls.keyFile`, `tokens.NAME.issuers`, `rooms[].when`. */
function rowsBelow(schema: JsonSchema, prefix: string): readonly Row[] {
  const { properties = {}, additionalProperties, required = [], items, anyOf = [], oneOf = [] } = schema;
  return [
    ...Object.entries(properties).flatMap(([key, field]) => {
      const path = below(prefix, key);
      return [row(path, field, required.includes(key)), ...rowsBelow(field, path)];
    }),
    ...(typeof additionalProperties === 'object' ? rowsBelow(additionalProperties, below(prefix, 'NAME')) : []),
    ...(typeof items === 'object' ? rowsBelow(items, prefix === '' ? '' : `${prefix}[]`) : []),
    ...[...anyOf, ...oneOf].flatMap((choice) => rowsBelow(choice, prefix)),
  ];
}

const below = (prefix: string, key: string): string => (prefix === '' ? key : `${prefix}.${key}`);

const row = (path: string, field: JsonSchema, required: boolean): Row => [
  code(path),
  typeText(field),
  presence(field, required),
  field.description ?? '',
];

function presence(field: JsonSchema, required: boolean): string {
  if (required) return 'required';
  const isSection = field.type === 'object' && JSON.stringify(field.default) === '{}';
  return field.default === undefined || isSection ? 'optional' : code(JSON.stringify(field.default));
}

function typeText(schema: JsonSchema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && schema.type === undefined) return [...new Set(choices.map(typeText))].join(' or ');
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.type === 'array')
    return typeof schema.items === 'object' ? `list of ${plural(typeText(schema.items))}` : 'list';
  if (schema.type === 'number' || schema.type === 'integer') return `number${range(schema)}`;
  if (schema.type !== 'object') return schema.type === 'boolean' ? '`true`, `false`' : 'text';
  return typeof schema.additionalProperties === 'object'
    ? `${plural(typeText(schema.additionalProperties))} by name`
    : 'object';
}

const plural = (type: string): string => type.replaceAll(/\b(text|object|number|list)\b/g, '$1s');

/** zod writes the safe integers as bounds of every whole number. */
function range({ minimum, maximum }: JsonSchema): string {
  const least = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const most = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (least === undefined) return most === undefined ? '' : ` up to ${most}`;
  return most === undefined ? ` from ${least}` : ` ${least} to ${most}`;
}

const code = (text: string): string => `\`${text}\``;

const table = (rows: readonly Row[]): string =>
  [
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`),
  ].join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
