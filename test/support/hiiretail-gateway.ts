import { randomUUID } from 'node:crypto';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PubSub, type Topic } from '@google-cloud/pubsub';
import { inject } from 'vitest';
import { type Document, parseDocument } from 'yaml';
import { eventually } from './eventually.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { type HiiretailIssuers, startHiiretailIssuers } from './hiiretail-issuers.ts';

const preset = 'presets/hiiretail.yaml';

/** What is published; `data` is the exact payload. */
export type Publication = {
  readonly topic: string;
  readonly data?: string | Uint8Array;
  readonly attributes?: Readonly<Record<string, string>>;
};

/** What `edgeward start presets/hiiretail.yaml` runs, with topics, subscriptions and issuers of its own. */
export type HiiretailGateway = AsyncDisposable &
  Pick<GatewayProcess, 'url' | 'output' | 'signal' | 'exited'> & {
    readonly issuers: HiiretailIssuers;
    readonly pubsub: PubSub;
    /** `host:port`. */
    readonly emulator: string;
    /** Publishes with the real client; the id that Pub/Sub gave. */
    publish(publication: Publication): Promise<string>;
    /** Resolves once all that was published is acknowledged: what of it a client is to have is on its way. */
    settled(): Promise<void>;
    /** The sum of a metric over its labels, or over those series that have one. */
    metric(name: string, label?: string): Promise<number>;
  };

export type HiiretailOptions = {
  readonly topics: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Changes a copy of the preset. By default the file itself is run. */
  readonly edit?: (preset: Document) => void;
  /** Called before the gateway starts. */
  readonly prepare?: (issuers: HiiretailIssuers) => Promise<void>;
};

/** A subscription is named after its topic (hiiretail section 5). */
export const subscriptionOf = (topic: string): string => `${topic}+edgeward`;

export async function startHiiretail(options: HiiretailOptions): Promise<HiiretailGateway> {
  const { topics, env = {}, edit, prepare } = options;
  const emulator = inject('pubsubEmulatorHost');
  const projectId = `hiiretail-${randomUUID().slice(0, 8)}`;
  // What is started is stopped, the last first, however far this comes.
  await using starting = new AsyncDisposableStack();
  const issuers = starting.use(await startHiiretailIssuers());
  await prepare?.(issuers);
  // The key is never sent; without it the client looks for credentials.
  const pubsub = new PubSub({ projectId, apiEndpoint: emulator, emulatorMode: true, apiKey: 'emulator' });
  starting.defer(() => pubsub.close());
  const opened = await Promise.all(topics.map((name) => createTopic(pubsub, name)));
  const byName = new Map(topics.map((name, index) => [name, opened[index]]));
  const folder = starting.use(mkdtempDisposableSync(join(tmpdir(), 'edgeward-')));
  const gateway = await startGatewayProcess({
    args: ['start', edit ? editPreset(join(folder.path, 'hiiretail.yaml'), edit) : preset],
    env: {
      PUBSUB_EMULATOR_HOST: emulator,
      PUBSUB_PROJECT: projectId,
      PUBSUB_SUBSCRIPTIONS: topics.map((name) => `${name}:${subscriptionOf(name)}`).join(),
      OCMS_JWKS_URL: issuers.ocms.server.jwksUrl,
      IAM_JWKS_URL: issuers.iam.server.jwksUrl,
      ...env,
    },
  });
  starting.use(gateway);
  const started = starting.move();
  let published = 0;
  const metric = (name: string, label = '') => readMetric(gateway.url, name, label);
  return {
    ...gateway,
    issuers,
    pubsub,
    emulator,
    async publish({ topic, data = '', attributes = {} }) {
      const opened = byName.get(topic);
      if (!opened) throw new Error(`the gateway has no subscription of ${topic}`);
      published += 1;
      return await opened.publishMessage({ data: Buffer.from(data), attributes: { ...attributes } });
    },
    settled: () =>
      eventually(async () => {
        const accepted = await metric('edgeward_messages_settled_total');
        if (accepted < published) throw new Error(`${accepted} of ${published} messages are acknowledged`);
      }),
    metric,
    async [Symbol.asyncDispose]() {
      await started.disposeAsync();
      refuseTokensIn(gateway.output(), issuers.minted);
    },
  };
}

async function createTopic(pubsub: PubSub, name: string): Promise<Topic> {
  const [topic] = await pubsub.createTopic(name);
  await topic.createSubscription(subscriptionOf(name));
  return topic;
}

/** Writes a changed copy of the preset to a file. */
export function editPreset(path: string, edit: (preset: Document) => void): string {
  const document = parseDocument(readFileSync(new URL(`../../${preset}`, import.meta.url), 'utf8'));
  edit(document);
  writeFileSync(path, String(document));
  return path;
}

async function readMetric(url: string, name: string, label: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`);
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** hiiretail 8.22, for whatever a file of tests has done to the gateway. */
function refuseTokensIn(output: string, tokens: Iterable<string>) {
  for (const token of tokens) {
    const found = token.split('.').find((part) => part !== '' && output.includes(part));
    if (found !== undefined) throw new Error(`a token, or a part of one, is in the output of the gateway: ${found}`);
  }
}
