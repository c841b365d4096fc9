/** How a client calls a bind, to know the answer by. */
export type RequestId = string | number;

type Request = { readonly stream: string; readonly key: string; readonly id: RequestId | undefined };

/** What a client says. */
export type ClientMessage =
  | ({ readonly kind: 'bind' | 'unbind' } & Request)
  /** Without a stream or a key that is text. Only who gave it an id hears of it. */
  | { readonly kind: 'invalid'; readonly id: RequestId | undefined }
  /** JSON that asks for nothing. */
  | { readonly kind: 'ignored' }
  /** No JSON at all. */
  | { readonly kind: 'malformed' };

const idLengthMax = 128;
const ignored: ClientMessage = { kind: 'ignored' };

/**
 * Reads `{"bind":{"ex":…,"key":…}}` (brainlife section 4).
 *
 * @param extended whether there is `unbind`, and `id` in both.
 */
export function readClientMessage(data: Buffer, extended: boolean): ClientMessage {
  let message: unknown;
  try {
    message = JSON.parse(data.toString('utf8'));
  } catch {
    return { kind: 'malformed' };
  }
  const bind = fieldOf(message, 'bind');
  if (bind !== undefined) return requestOf('bind', bind, extended);
  const unbind = extended ? fieldOf(message, 'unbind') : undefined;
  return unbind === undefined ? ignored : requestOf('unbind', unbind, extended);
}

function requestOf(kind: 'bind' | 'unbind', request: unknown, extended: boolean): ClientMessage {
  const stream = fieldOf(request, 'ex');
  const key = fieldOf(request, 'key');
  const id = extended ? idOf(fieldOf(request, 'id')) : undefined;
  if (typeof stream === 'string' && typeof key === 'string') return { kind, stream, key, id };
  return { kind: 'invalid', id };
}

/** None that could not be given back as it came. */
function idOf(id: unknown): RequestId | undefined {
  if (typeof id === 'string') return id.length <= idLengthMax ? id : undefined;
  if (typeof id !== 'number' || !Number.isFinite(id)) return undefined;
  return Number.isSafeInteger(id) || !Number.isInteger(id) ? id : undefined;
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
