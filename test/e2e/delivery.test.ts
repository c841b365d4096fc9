import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  connectClient,
  type DemoClient,
  developmentToken,
  publish,
  type TokenRequest,
} from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await startGatewayProcess();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

type ClientPlan = TokenRequest & { readonly query?: Readonly<Record<string, unknown>> };

/** Ten clients of two tenants, by name. */
const plans: Readonly<Record<string, ClientPlan>> = {
  a: { tenant: 'a' },
  aUnit1: { tenant: 'a', businessUnit: '1' },
  aTill11: { tenant: 'a', businessUnit: '1', workstation: '1' },
  aTill12: { tenant: 'a', businessUnit: '1', workstation: '2' },
  aUnit2: { tenant: 'a', businessUnit: '2' },
  aUser: { tenant: 'a', user: 'ann' },
  aTopic: { tenant: 'a', query: { topics: ['prices', 'baskets'] } },
  b: { tenant: 'b' },
  bTill11: { tenant: 'b', businessUnit: '1', workstation: '1' },
  bUser: { tenant: 'b', user: 'ann' },
};

const ofA = ['a', 'aUnit1', 'aTill11', 'aTill12', 'aUnit2', 'aUser'];

/** What is published, and exactly who receives it. */
const cases: readonly (readonly [string, string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ['the tenant', 'orders', { 'Tenant-Id': 'a' }, ofA],
  ['the tenant, with a topic that a client named', 'prices', { 'Tenant-Id': 'a' }, [...ofA, 'aTopic']],
  ['a unit', 'orders', { 'Tenant-Id': 'a', 'Business-Unit-Id': '1' }, ['aUnit1', 'aTill11', 'aTill12']],
  ['a till', 'orders', { 'Tenant-Id': 'a', 'Business-Unit-Id': '1', 'Workstation-Id': '1' }, ['aTill11']],
  ['a user', 'orders', { 'Tenant-Id': 'a', 'User-Id': 'ann' }, ['aUser']],
  ['the other tenant', 'prices', { 'Tenant-Id': 'b' }, ['b', 'bTill11', 'bUser']],
  [
    'rooms of a unit',
    'orders',
    { 'Tenant-Id': 'a', 'Business-Unit-Id': '1', Rooms: 'workstations/2, kitchen' },
    ['aTill12'],
  ],
  ['a till of no unit', 'orders', { 'Tenant-Id': 'a', 'Workstation-Id': '1' }, []],
  ['nobody who is there', 'orders', { 'Tenant-Id': 'a', 'User-Id': 'bob' }, []],
  ['a tenant that is not there', 'orders', { 'Tenant-Id': 'a/b' }, []],
];

async function connectAll(): Promise<ReadonlyMap<string, DemoClient>> {
  const clients = await Promise.all(
    Object.entries(plans).map(async ([name, { query, ...request }]) => {
      const token = await developmentToken(gateway.url, { roles: ['edgeward.client'], ...request });
      return [name, await connectClient(gateway.url, token, query)] as const;
    }),
  );
  onTestFinished(() => {
    for (const [, client] of clients) client.socket.disconnect();
  });
  return new Map(clients);
}

const publisher = (tenant: string): Promise<string> =>
  developmentToken(gateway.url, { tenant, roles: ['edgeward.publisher'] });

describe('events reach exactly the clients that may see them', () => {
  test('ten clients of two tenants', async () => {
    const clients = await connectAll();
    for (const [index, [, stream, attributes]] of cases.entries()) {
      const token = await publisher(attributes['Tenant-Id'] ?? '');
      const answer = await publish(gateway.url, token, { stream, attributes, data: { case: index } });
      expect(answer.status).toBe(202);
    }
    // One last event for everybody: order per connection says that nothing else is on its way.
    for (const tenant of ['a', 'b']) {
      await publish(gateway.url, await publisher(tenant), {
        stream: 'prices',
        attributes: { 'Tenant-Id': tenant },
        data: { case: 'end' },
      });
    }
    for (const [name, { received }] of clients) {
      const numbers = await eventually(() => {
        const seen = received.map(({ data }) => (data as { case: number | 'end' }).case);
        expect(seen.at(-1)).toBe('end');
        return seen.slice(0, -1);
      });
      const expected = cases.flatMap(([, , , receivers], index) => (receivers.includes(name) ? [index] : []));
      expect({ name, numbers }).toEqual({ name, numbers: expected });
    }
  });

  test('the handler gets the stream as name, the data, and a meta with the attributes', async () => {
    const tenant = 'meta';
    using client = await connectClient(
      gateway.url,
      await developmentToken(gateway.url, { tenant, roles: ['edgeward.client'] }),
    );
    const attributes = { 'Tenant-Id': tenant, 'Correlation-Id': 'c-1', 'X-B3-TraceId': 't' };
    await publish(gateway.url, await publisher(tenant), {
      stream: 'orders.created',
      id: 'e-1',
      attributes,
      data: [1, 'two', null],
    });
    await eventually(() => expect(client.received).toHaveLength(1));
    expect(client.received[0]).toEqual({
      name: 'orders.created',
      data: [1, 'two', null],
      meta: {
        messageId: 'e-1',
        tenantId: tenant,
        publishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        correlationId: 'c-1',
        xB3TraceId: 't',
      },
    });
  });

  test('events of one stream and key arrive in the order of publishing', async () => {
    const tenant = 'order';
    using client = await connectClient(
      gateway.url,
      await developmentToken(gateway.url, { tenant, roles: ['edgeward.client'] }),
    );
    const token = await publisher(tenant);
    const batch = Array.from({ length: 100 }, (_, data) => ({
      stream: 's',
      attributes: { 'Tenant-Id': tenant },
      data,
    }));
    await publish(gateway.url, token, batch);
    await eventually(() => expect(client.received).toHaveLength(100));
    expect(client.received.map(({ data }) => data)).toEqual(batch.map(({ data }) => data));
  });
});

describe('who is refused', () => {
  test.each([
    ['no token', '', 'token_missing'],
    ['garbage', 'garbage', 'token_malformed'],
    ['an unsigned token', `${part({ alg: 'none' })}.${part({ sub: 'x' })}.`, 'token_'],
    [
      'a foreign issuer',
      `${part({ alg: 'ES256' })}.${part({ iss: 'https://example.com/' })}.c2ln`,
      'token_issuer_unknown',
    ],
  ])('%s: the client learns a code and does not come back by itself', async (_what, token, code) => {
    const refusal = await connectClient(gateway.url, token).then(
      () => undefined,
      (error: { data?: { code?: string } }) => error.data?.code,
    );
    expect(refusal).toContain(code);
  });

  test('a token without the permission may neither connect nor publish', async () => {
    const token = await developmentToken(gateway.url, { tenant: 'a' });
    await expect(connectClient(gateway.url, token)).rejects.toMatchObject({ data: { code: 'access_denied' } });
    const answer = await publish(gateway.url, token, { stream: 's', attributes: { 'Tenant-Id': 'a' }, data: 1 });
    expect(answer.status).toBe(403);
  });

  test('a publisher of one tenant cannot publish to another, not even among its own events', async () => {
    using client = await connectClient(
      gateway.url,
      await developmentToken(gateway.url, { tenant: 'victim', roles: ['edgeward.client'] }),
    );
    const token = await publisher('attacker');
    const own = { stream: 's', attributes: { 'Tenant-Id': 'attacker' }, data: 1 };
    const foreign = { stream: 's', attributes: { 'Tenant-Id': 'victim' }, data: 2 };
    expect((await publish(gateway.url, token, [own, foreign])).status).toBe(403);
    await publish(gateway.url, await publisher('victim'), { ...foreign, data: 'end' });
    await eventually(() => expect(client.received.map(({ data }) => data)).toEqual(['end']));
  });
});

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
