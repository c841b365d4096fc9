/** What a Socket.IO client is called with: the event's name and its arguments. */
export type ReceivedEvent = { readonly name: string; readonly args: readonly unknown[] };

/** For people: time, name, meta, data. Nothing in an event can end the line or talk to the terminal. */
export function eventLine({ name, args: [data, meta] }: ReceivedEvent, receivedAt: number): string {
  const parts = [new Date(receivedAt).toISOString(), name, json(meta), json(data)];
  return `${parts
    .filter((part) => part !== undefined)
    .map(printable)
    .join('  ')}\n`;
}

/** For programs: one object a line, with `receivedAt`, `name`, `meta` and `data`. */
export const eventJsonLine = ({ name, args: [data, meta] }: ReceivedEvent, receivedAt: number): string =>
  `${JSON.stringify({ receivedAt: new Date(receivedAt).toISOString(), name, meta, data })}\n`;

/** `undefined` where there is nothing to show. */
const json = (value: unknown): string | undefined => JSON.stringify(value);

/** Control characters, line and paragraph separators, and what turns the direction of writing. */
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const printable = (text: string): string =>
  text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
