/** What a client and its back-ends call a space. Made by `readSpaceId` only. */
export type SpaceId = string & { readonly __space: unique symbol };

/** A routing key of AMQP has at most 255 bytes (section 4.2.5.3). */
const spaceIdBytesMax = 200;

const controlCharacter = /\p{Cc}/u;

/** Whether somebody's text can be the name of a space: it stands in rooms, keys, URLs and logs. */
export function readSpaceId(value: unknown): SpaceId | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (value.length > spaceIdBytesMax || !value.isWellFormed() || controlCharacter.test(value)) return undefined;
  if (new TextEncoder().encode(value).length > spaceIdBytesMax) return undefined;
  return value as SpaceId;
}
