import { type ClientConfig, PubSub } from '@google-cloud/pubsub';
import type { BackOff } from '../../../application/back-off.ts';
import type { PubSubConnection } from './pubsub-settings.ts';

/** Where the service answers that is neither an emulator nor another endpoint. */
const serviceHost = 'pubsub.googleapis.com';

/** `host:port` where the settings say that Pub/Sub is. */
export function pubsubAddress({ emulator, apiEndpoint = serviceHost }: Omit<PubSubConnection, 'project'>): string {
  // Without a port the client asks for "host:undefined".
  return emulator ?? (apiEndpoint.includes(':') ? apiEndpoint : `${apiEndpoint}:443`);
}

/**
 * A client of what the settings name; nothing is connected to before its first call. Rejects when the credentials cannot
 * be had: a call that found out would end the process, since every method of the generated clients leaves a promise of
 * its own unhandled then (`this.initialize().catch(err => { throw err; })`).
 *
 * @param backOff of a connection that is made anew; by default what gRPC chooses, which is up to two minutes.
 */
export async function openPubSubClient(connection: PubSubConnection, backOff?: BackOff): Promise<PubSub> {
  const { project: projectId, emulator, credentialsFile } = connection;
  // The address is always given: without one the client looks for PUBSUB_EMULATOR_HOST itself, past the config. It
  // takes every host that is not Google's for an emulator without TLS, unless it is told.
  const config: ClientConfig = {
    ...channelOptions(backOff),
    projectId,
    apiEndpoint: pubsubAddress(connection),
    emulatorMode: emulator !== undefined,
  };
  // The key is never sent. Without it the client asks the metadata server for credentials, emulator or not.
  if (emulator !== undefined) return new PubSub({ ...config, apiKey: 'emulator' });
  const { auth } = new PubSub(credentialsFile === undefined ? config : { ...config, keyFilename: credentialsFile });
  return new PubSub({ ...config, authClient: await auth.getClient() });
}

/**
 * Options of the gRPC channel. It is not shared, so that what happens to another source's connection is none of its
 * business.
 */
const channelOptions = (backOff: BackOff | undefined): Readonly<Record<string, number>> => ({
  'grpc.use_local_subchannel_pool': 1,
  ...(backOff && {
    'grpc.initial_reconnect_backoff_ms': backOff.delayMsMin,
    'grpc.max_reconnect_backoff_ms': backOff.delayMsMax,
  }),
});
