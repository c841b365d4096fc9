import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { StartedBroker } from './broker-search.ts';

type Compose = { readonly services: Readonly<Record<string, { readonly image?: string }>> };

/** The image that `compose.yaml` pins, so that tests and people run the same. */
export function pinnedImage(service: string): string {
  const compose = parse(readFileSync(new URL('../../compose.yaml', import.meta.url), 'utf8')) as Compose;
  const image = compose.services[service]?.image;
  if (image === undefined) throw new Error(`compose.yaml has no image for ${service}`);
  return image;
}

/** Says so where no container engine answers; rejects where the image cannot be had or does not come up. */
export async function startPubSubContainer(): Promise<StartedBroker | string> {
  // Loaded when it is wanted: it takes longer than all the places before it.
  const { getContainerRuntimeClient } = await import('testcontainers');
  const engine = await getContainerRuntimeClient().catch(() => undefined);
  if (engine === undefined) return 'no container engine answers';
  const { PubSubEmulatorContainer } = await import('@testcontainers/gcloud');
  const container = await new PubSubEmulatorContainer(pinnedImage('pubsub')).start();
  return { address: container.getEmulatorEndpoint(), end: async () => void (await container.stop()) };
}
