/** A place that connections join and events are sent to, such as `tenants/42/users/7`. Made by room templates only. */
export type RoomName = string & { readonly __room: unique symbol };

/**
 * One segment's text, so that no value leaves its segment and no two values meet: `/` and `%` are percent-encoded,
 * everything else stays, `..` and `__proto__` included.
 */
export const roomSegment = (value: string): string =>
  value.includes('/') || value.includes('%') ? value.replaceAll('%', '%25').replaceAll('/', '%2F') : value;

/** The segments of a room. */
export const segmentsOf = (room: string): readonly string[] => room.split('/');

/** The text that a segment was made of. */
export const segmentValue = (segment: string): string => segment.replaceAll('%2F', '/').replaceAll('%25', '%');
