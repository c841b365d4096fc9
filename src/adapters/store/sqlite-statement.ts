export type SqlValue = string | number | bigint | null | Uint8Array;

/** SQL with `?` for each value. The text is a constant of the program, never made from input: it is kept prepared. */
export type SqlStatement = { readonly sql: string; readonly values?: readonly SqlValue[] };

export type SqlRow = Readonly<Record<string, SqlValue>>;

/** The rows of a query or of `RETURNING`; of any other statement, how many rows it has changed. */
export type SqlResult = { readonly rows: readonly SqlRow[]; readonly changes: number };

/** Statements that belong together: all of them or none. */
export type SqlBatch = readonly SqlStatement[];

/** About how much memory a batch takes while it waits. */
export function batchBytes(batch: SqlBatch): number {
  return batch.flatMap(({ values = [] }) => values).reduce<number>((bytes, value) => bytes + valueBytes(value), 64);
}

function valueBytes(value: SqlValue): number {
  if (typeof value === 'string') return 2 * value.length + 16;
  return value instanceof Uint8Array ? value.byteLength + 16 : 16;
}
