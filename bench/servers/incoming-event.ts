import type { Target } from '../load/publisher.ts';

/** An event as a server of the bench's own takes it. */
export type IncomingEvent = {
  readonly stream: string;
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, string>>;
};

/** The room that an event is for. */
export function roomOf({ attributes }: IncomingEvent): string {
  const client = attributes['Workstation-Id'];
  if (client !== undefined) return roomName({ kind: 'client', id: Number(client) });
  const group = attributes['Business-Unit-Id'];
  return roomName(group === undefined ? { kind: 'all' } : { kind: 'group', id: Number(group) });
}

/** The rooms of a client, by the query of its URL. */
export const roomsOf = (query: URLSearchParams): readonly string[] => [
  roomName({ kind: 'all' }),
  roomName({ kind: 'client', id: Number(query.get('workstation')) }),
  roomName({ kind: 'group', id: Number(query.get('businessUnit')) }),
];

const roomName = (target: Target): string => (target.kind === 'all' ? 'all' : `${target.kind}/${target.id}`);
