import { setTimeout as wait } from 'node:timers/promises';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import { type PublishingServer, post, publishingServer } from '../support/http-publishing.ts';
import { eventSourceContract } from './event-source-contract.ts';
import type { EventSourceHarness, HarnessContext, PublishedMessage } from './event-source-harness.ts';

const inFlightMax = 4;
const token = 'the-token-is-secret';

/** The broker of this source is its publisher, which keeps what has not been taken. */
async function httpHarness(context: HarnessContext): Promise<EventSourceHarness> {
  const serve = () => publishingServer({ requestsInFlightMax: inFlightMax }, context);
  const first = await serve();
  const servers: [PublishingServer, ...PublishingServer[]] = [first];
  const second = await serve();
  const kept = new Set<PublishedMessage>();
  const publishing = new Set<Promise<void>>();

  async function publish(message: PublishedMessage): Promise<void> {
    const server = servers.at(-1) ?? first;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const { status } = await post(server.url, bodyOf(message), headers);
    if (status === 202) kept.delete(message);
  }

  return {
    source: first.source,
    secondSource(): EventSource {
      servers.push(second);
      return second.source;
    },
    async publish(message) {
      kept.add(message);
      const call = publish(message).finally(() => publishing.delete(call));
      publishing.add(call);
    },
    backlog: async () => kept.size,
    deadLettered: async () => [],
    // Longer than a request takes on loopback.
    quiet: () => wait(50),
    inFlightMax,
    secrets: [token],
    async [Symbol.asyncDispose]() {
      // What is in hand is answered first, so that no publisher is cut off.
      await Promise.all([first.source.drain(AbortSignal.abort()), second.source.drain(AbortSignal.abort())]);
      await Promise.allSettled(publishing);
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
}

const bodyOf = ({ payload, key, id, attributes }: PublishedMessage): string =>
  JSON.stringify({
    stream: 'contract.v1',
    dataBase64: Buffer.from(payload).toString('base64'),
    key,
    id,
    attributes: attributes && Object.fromEntries(attributes),
  });

eventSourceContract('HTTP', httpHarness);
