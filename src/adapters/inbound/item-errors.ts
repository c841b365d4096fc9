/** What is wrong with one event of a request: `index` counts from 0, `path` is a JSON Pointer (RFC 6901) below it. */
export type ItemError = { readonly index: number; readonly path: string; readonly message: string };

/** Enough to mend a request; a request full of mistakes must not be answered with a longer one. */
export const itemErrorsMax = 100;

/** Both may quote a name that the publisher chose. */
const charactersMax = 300;

export const itemError = (
  index: number,
  { path, message }: { readonly path: readonly PropertyKey[]; readonly message: string },
): ItemError => ({
  index,
  path: path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .slice(0, charactersMax),
  message: message.slice(0, charactersMax),
});
