import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PubSub } from '@google-cloud/pubsub';
import { onTestFinished } from 'vitest';
import { openPubSubClient } from '../../src/adapters/inbound/pubsub/pubsub-client.ts';
import type { TopologyOptions } from '../../src/bootstrap/cli/topology-command.ts';
import { applyTopology } from '../../src/bootstrap/topology.ts';
import { fakeCommandIo } from '../support/fake-command-io.ts';

/** A project that no other test has. */
export const ownProject = (): string => `topology-${randomUUID()}`;

/** A config file with these sources, gone after the test. */
export function configFile(sources: readonly object[], more: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-topology-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ sources, endpoints: [{ socketio: {} }], ...more }));
  return file;
}

export type Applied = { readonly code: number; readonly lines: readonly string[]; readonly stderr: string };

/** Runs `edgeward topology apply` in this process. */
export async function apply(file: string, options: TopologyOptions = {}, cli = fakeCommandIo()): Promise<Applied> {
  const code = await applyTopology(file, options, cli.io);
  return { code, lines: cli.stdout().split('\n').slice(0, -1), stderr: cli.stderr() };
}

/** What the emulator holds of a project, and how to make more. */
export type ProjectView = {
  readonly client: PubSub;
  /** Ids, sorted. */
  topics(): Promise<readonly string[]>;
  subscriptions(): Promise<readonly string[]>;
  topic(id: string): Promise<void>;
  subscription(id: string, topic: string, options?: Parameters<PubSub['createSubscription']>[2]): Promise<void>;
};

export async function openProject(emulator: string, project: string): Promise<ProjectView> {
  const client = await openPubSubClient({ project, emulator });
  onTestFinished(() => client.close());
  const ids = (all: readonly { readonly name: string }[]) =>
    all.map(({ name }) => name.split('/').at(-1) ?? '').toSorted();
  return {
    client,
    topics: async () => ids((await client.getTopics())[0]),
    subscriptions: async () => ids((await client.getSubscriptions())[0]),
    topic: async (id) => void (await client.createTopic(id)),
    subscription: async (id, topic, options = {}) => void (await client.createSubscription(topic, id, options)),
  };
}
