import { expect, test } from 'vitest';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';

/** Together they publish faster than one turn of the embedded broker delivers, so that it always holds a backlog. */
const publishers = 20;
const eventsPerRequest = 100;
/** Enough to be in the middle of it; few enough that no client is owed so much that it is cut as a slow one. */
const acceptedBeforeSignal = 2000;

type Problem = {
  readonly code: string;
  readonly events?: readonly { readonly id: string; readonly outcome: string }[];
};

/** Publishes on and on. Ends when it is told to come back later, or when nobody answers any more. */
async function publishOnAndOn(url: string, token: string, name: number, accepted: Set<string>): Promise<void> {
  for (let request = 0; ; request += 1) {
    const ids = Array.from({ length: eventsPerRequest }, (_, index) => `${name}-${request}-${index}`);
    const events = ids.map((id) => ({ stream: `orders.v${name}`, id, attributes: { 'Tenant-Id': 'a' }, data: { id } }));
    const answer = await publish(url, token, events).catch(() => undefined);
    if (answer?.status === 202) {
      for (const id of ids) accepted.add(id);
      continue;
    }
    if (!answer) return;
    const problem = (await answer.json()) as Problem;
    expect(problem).toMatchObject({ status: 503, code: expect.stringMatching(/^(draining|event_not_taken)$/) });
    for (const { id, outcome } of problem.events ?? []) if (outcome === 'taken') accepted.add(id);
    return;
  }
}

test('SIGTERM: every event that was answered 202 reaches every client before it is told to come back', async () => {
  await using gateway = await startGatewayProcess({ env: { LOG_LEVEL: 'info' } });
  const { url } = gateway;
  const clientToken = await developmentToken(url, { tenant: 'a', roles: ['edgeward.client'] });
  const publisherToken = await developmentToken(url, { tenant: 'a', roles: ['edgeward.publisher'] });
  using one = await connectClient(url, clientToken);
  using two = await connectClient(url, clientToken);
  using three = await connectClient(url, clientToken);
  const clients = [one, two, three];
  const left = clients.map(async ({ socket, received }) => {
    const reason = await new Promise<string>((resolve) => socket.once('disconnect', resolve));
    return { reason, ids: received.map(({ data }) => (data as { id: string }).id) };
  });

  const accepted = new Set<string>();
  const publishing = Array.from({ length: publishers }, (_, name) =>
    publishOnAndOn(url, publisherToken, name, accepted),
  );
  await eventually(() => expect(accepted.size).toBeGreaterThanOrEqual(acceptedBeforeSignal));
  gateway.signal('SIGTERM');
  expect(await gateway.exited).toBe(0);
  await Promise.all(publishing);

  for (const { reason, ids } of await Promise.all(left)) {
    expect(reason).toBe('transport close');
    expect(accepted.difference(new Set(ids)), 'accepted and not received').toEqual(new Set());
    expect(new Set(ids).size, 'received once each').toBe(ids.length);
  }
  const lines = gateway.output().trimEnd().split('\n');
  const report = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
  expect(report).toMatchObject({ msg: 'gateway has stopped', abandoned: 0, flushed: clients.length, cut: 0 });
  expect(report['settled'], 'there was a backlog').toBeGreaterThan(0);
});
