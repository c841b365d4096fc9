import { expect } from 'vitest';
import { connectRaw, connectStock, type HiiretailClient } from './hiiretail-clients.ts';
import { type Deliveries, deliveriesOf } from './hiiretail-deliveries.ts';
import type { HiiretailGateway } from './hiiretail-gateway.ts';
import type { Claims } from './hiiretail-issuers.ts';

/** Who connects, and to which rooms that should lead. */
export type RoomsPlan = {
  /** Claims of the token of the machine, and of the person; each is presented where the real clients do. */
  readonly ocms?: Claims;
  readonly iam?: Claims;
  readonly query?: Readonly<Record<string, unknown>>;
  /** In the place of `query`: its text, as a client of another language would write it. */
  readonly rawQuery?: string;
  /** Every room that an event can be sent to; `{connection}` is the id of the connection. */
  readonly rooms: readonly string[];
};
export type RoomsPlans = Readonly<Record<string, RoomsPlan>>;

/** The attributes that send an event to a room and to no other, by room. The tenant is `t1` unless they name one. */
export type Addresses = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The room of the connection itself, which everybody has. */
const ownRoom = /^(?:topics\/([^/\n]+)\/)?tenants\/([^/\n]+)\/connections\/\{connection\}$/m;

type Planned = {
  readonly name: string;
  readonly plan: RoomsPlan;
  readonly client: HiiretailClient;
  readonly tenant: string;
  readonly topic: string;
};

/**
 * Rooms cannot be seen from outside: who gets what is sent to each of them shows who is in it. Every room is addressed
 * on every topic, at its own place and below `topics/{topic}` in one event, and so is every connection.
 */
export async function proveRooms(
  gateway: HiiretailGateway,
  topics: readonly string[],
  plans: RoomsPlans,
  addresses: Addresses,
): Promise<{ readonly delivered: Deliveries; readonly expected: Deliveries }> {
  const clients = await Promise.all(Object.entries(plans).map(([name, plan]) => connect(gateway, topics, name, plan)));
  const connections = clients.flatMap(({ client: { id } }): [string, Readonly<Record<string, string>>][] => [
    [`tenants/t1/connections/${id}`, { 'Connection-Id': id }],
    [`tenants/t2/connections/${id}`, { 'Tenant-Id': 't2', 'Connection-Id': id }],
  ]);
  const events = topics.flatMap((topic) =>
    [...Object.entries(addresses), ...connections].map(([room, attributes]) => ({
      name: `${topic} ${room}`,
      room,
      topic,
      attributes: { 'Tenant-Id': 't1', ...attributes },
    })),
  );
  const expected = clients.map(({ name, plan, client }) => {
    const rooms = new Set(plan.rooms.map((room) => room.replace('{connection}', client.id)));
    expect(rooms.size, `${name}: each room once`).toBe(plan.rooms.length);
    const reaching = events.filter(({ topic, room }) => rooms.has(room) || rooms.has(`topics/${topic}/${room}`));
    // A room that nothing is sent to would prove nothing.
    const places = new Set(events.flatMap(({ topic, room }) => [room, `topics/${topic}/${room}`]));
    expect(rooms.difference(places), `${name}: rooms that no event is sent to`).toEqual(new Set());
    return [name, reaching.map((event) => event.name).sort()];
  });
  const delivered = await deliveriesOf(gateway, clients, events);
  for (const { client } of clients) client[Symbol.dispose]();
  return { delivered, expected: Object.fromEntries(expected) };
}

async function connect(
  { url, issuers }: HiiretailGateway,
  topics: readonly string[],
  name: string,
  plan: RoomsPlan,
): Promise<Planned> {
  const machine = plan.ocms && (await issuers.ocms.mint(plan.ocms));
  const person = plan.iam && (await issuers.iam.mint(plan.iam));
  const token = machine ?? person ?? '';
  const withPerson = machine !== undefined && person !== undefined ? { userToken: person } : {};
  const client =
    plan.rawQuery === undefined
      ? await connectStock(url, { token, query: { ...plan.query, ...withPerson } })
      : await connectRaw(url, plan.rawQuery, token);
  const [, topic = topics[0] ?? '', tenant = ''] = ownRoom.exec(plan.rooms.join('\n')) ?? [];
  return { name, plan, client, tenant, topic };
}
