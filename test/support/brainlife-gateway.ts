import { randomUUID } from 'node:crypto';
import { connect, type Options } from 'amqplib';
import { expect } from 'vitest';
import { amqpUrl } from './amqp-url.ts';
import { type BrainlifeBackend, brainlifeBackend } from './brainlife-backend.ts';
import { type BrainlifeIssuer, brainlifeIssuer } from './brainlife-tokens.ts';
import { eventually } from './eventually.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { openRelay, type RelayClient, type RelayFrame } from './relay-client.ts';

/** brainlife.io in small: its broker, its back-ends, its issuer, and `edgeward start presets/brainlife.yaml`. */
export type Brainlife = AsyncDisposable & {
  readonly gateway: GatewayProcess;
  readonly backend: BrainlifeBackend;
  readonly issuer: BrainlifeIssuer;
  /** `ws://…`, without a path. */
  readonly url: string;
  /** A client with a token of these claims. */
  open(claims?: Record<string, unknown>): Promise<RelayClient>;
  /** A client with this query. */
  openWith(query: string): Promise<RelayClient>;
  /** As amaretti and warehouse publish: JSON, unless told otherwise. Resolves once the broker has it. */
  publish(exchange: string, key: string, body: unknown, options?: Options.Publish): Promise<void>;
  publishBytes(exchange: string, key: string, body: Uint8Array, options?: Options.Publish): Promise<void>;
  /** After the broker was restarted. */
  publishAgain(): Promise<void>;
  /** Binds as brainlife's clients do, without an answer: publishes until something has come. */
  untilBound(client: RelayClient, exchange: string, pattern: string, key: string): Promise<void>;
};

/** The exchanges that brainlife's services declare (brainlife section 6). */
const declared = ['wf.task', 'wf.instance', 'warehouse', 'warehouse.dataset', 'wf', 'public'];

const isProbe = ({ msg }: RelayFrame): boolean => typeof msg === 'object' && msg !== null && 'probe' in msg;

/** What came that was no probe of `untilBound`. */
export const framesOf = ({ frames }: RelayClient): readonly RelayFrame[] => frames.filter((frame) => !isProbe(frame));

/** A name that nobody else has, of something that the back-ends allow. */
export const mine = (): string => `mine-${randomUUID()}`;

/** Notifications are on only where somebody asks for them: their queue has one name, and one consumer. */
const withoutNotifications = { NOTIFICATIONS: 'false' };

export async function startBrainlife(
  broker = amqpUrl,
  exchanges: readonly string[] = declared,
  environment: Readonly<Record<string, string>> = withoutNotifications,
  config = 'presets/brainlife.yaml',
): Promise<Brainlife> {
  const backend = await brainlifeBackend();
  const issuer = await brainlifeIssuer();
  let publisher = await publisherTo(broker);
  for (const exchange of exchanges) await publisher.channel.assertExchange(exchange, 'topic', { durable: true });
  const gateway = await startGatewayProcess({
    args: ['start', config],
    env: {
      HOST: '127.0.0.1',
      AMQP_URL: broker,
      JWT_PUBLIC_KEY_FILE: issuer.publicKeyFile,
      AMARETTI_URL: `${backend.url}/amaretti`,
      WAREHOUSE_URL: `${backend.url}/warehouse`,
      AUTH_URL: `${backend.url}/auth`,
      AUTH_JWT: 'jwt-of-the-service',
      ...environment,
    },
  });
  const url = gateway.url.replace('http', 'ws');
  const publishBytes: Brainlife['publishBytes'] = (exchange, key, body, options = {}) =>
    new Promise((resolve, reject) => {
      publisher.channel.publish(exchange, key, Buffer.from(body), options, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  const publish: Brainlife['publish'] = (exchange, key, body, options) =>
    publishBytes(exchange, key, Buffer.from(JSON.stringify(body)), { contentType: 'application/json', ...options });
  const openWith = (query: string) => openRelay(`${url}/subscribe${query}`);
  return {
    gateway,
    backend,
    issuer,
    url,
    openWith,
    open: (claims) => openWith(`?jwt=${issuer.token(claims)}`),
    publish,
    publishBytes,
    async publishAgain() {
      publisher = await publisherTo(broker);
    },
    async untilBound(client, exchange, pattern, key) {
      const probe = randomUUID();
      client.bind(exchange, pattern);
      await eventually(async () => {
        await publish(exchange, key, { probe });
        expect(client.frames.some(({ msg }) => (msg as { probe?: string } | null)?.probe === probe)).toBe(true);
      });
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
      await publisher.model.close().catch(() => {});
    },
  };
}

async function publisherTo(broker: string) {
  const model = await connect(broker);
  model.on('error', () => {});
  const channel = await model.createConfirmChannel();
  channel.on('error', () => {});
  return { model, channel };
}
