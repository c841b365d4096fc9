import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

/** What becomes of the data on its way: JSON text stays as it is, character by character; bytes go as base64. */
export type PublishedData =
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'bytes'; readonly base64: string };

/** @param raw the exact bytes are the payload, whatever they are. */
export function publishedData(bytes: Uint8Array, raw: boolean): Verdict<PublishedData> {
  if (raw) return allowed({ kind: 'bytes', base64: Buffer.from(bytes).toString('base64') });
  const text = decoded(bytes);
  if (text === undefined) return refused('DATA is no UTF-8 text. To send its bytes as they are, add --raw.');
  if (isJson(text)) return allowed({ kind: 'json', text });
  // "echo hello |" adds the end of the line, which nobody means.
  return allowed({ kind: 'json', text: JSON.stringify(text.replace(/\r?\n$/, '')) });
}

export type PublishFields = {
  readonly stream: string;
  readonly key?: string | undefined;
  readonly id?: string | undefined;
  readonly attributes: ReadonlyMap<string, string>;
  readonly data: PublishedData;
};

/** The body of `POST /v1/events`. The data is put in as text: parsing it would change its numbers. */
export function publishBody({ stream, key, id, attributes, data }: PublishFields): string {
  const head = JSON.stringify({
    stream,
    key,
    id,
    ...(attributes.size === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
  });
  const payload = data.kind === 'json' ? `"data":${data.text}` : `"dataBase64":"${data.base64}"`;
  return `${head.slice(0, -1)},${payload}}`;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
