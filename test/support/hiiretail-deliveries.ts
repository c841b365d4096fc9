import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { HiiretailClient } from './hiiretail-clients.ts';
import type { HiiretailGateway } from './hiiretail-gateway.ts';

/** A client by name, with a topic whose events it may have. */
export type NamedClient = {
  readonly name: string;
  readonly client: HiiretailClient;
  readonly tenant: string;
  readonly topic: string;
};

export type NamedEvent = {
  readonly name: string;
  readonly topic: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/** Names of events by that of the client that got them, sorted; a name twice is an event that came twice. */
export type Deliveries = Readonly<Record<string, readonly string[]>>;

/**
 * Publishes the events and finds out who gets which. When all are acknowledged, every client is sent a last event at its
 * connection: events of a connection keep their order, so once that one is there, nothing else is on its way.
 *
 * @param connectionAttribute the name of the attribute that addresses a connection.
 */
export async function deliveriesOf(
  gateway: HiiretailGateway,
  clients: readonly NamedClient[],
  events: readonly NamedEvent[],
  connectionAttribute = 'Connection-Id',
): Promise<Deliveries> {
  const starts = new Map(clients.map(({ client }) => [client, client.received.length]));
  const namesOf = ({ client }: NamedClient) =>
    client.received.slice(starts.get(client)).map(([, data]) => (data as { name: string }).name);
  const publish = ({ name, topic, attributes }: NamedEvent) =>
    gateway.publish({ topic, attributes, data: JSON.stringify({ name }) });

  await Promise.all(events.map(publish));
  await gateway.settled();
  await Promise.all(
    clients.map(({ client, name, tenant, topic }) =>
      publish({
        name: `last of ${name}`,
        topic,
        attributes: { 'Tenant-Id': tenant, [connectionAttribute]: client.id },
      }),
    ),
  );
  await eventually(() => {
    const without = clients.filter((each) => namesOf(each).at(-1) !== `last of ${each.name}`);
    expect(without.map(({ name }) => name)).toEqual([]);
  });
  return Object.fromEntries(clients.map((each) => [each.name, namesOf(each).slice(0, -1).sort()]));
}
