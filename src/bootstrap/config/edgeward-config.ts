import type { z } from 'zod';
import { checksSettings, permissionSourcesSettings } from '../../adapters/access/access-settings.ts';
import { compileCondition } from '../../adapters/access/cel-condition.ts';
import { identitySettings } from '../../adapters/identity/identity-settings.ts';
import { amqpSettings } from '../../adapters/inbound/amqp/amqp-settings.ts';
import { httpSettings } from '../../adapters/inbound/http/http-settings.ts';
import { memorySettings } from '../../adapters/inbound/memory/memory-settings.ts';
import { pubsubPushSettings, pubsubSettings } from '../../adapters/inbound/pubsub/pubsub-settings.ts';
import { signalrSettings } from '../../adapters/outbound/signalr/signalr-settings.ts';
import { socketioSettings } from '../../adapters/outbound/socketio/socketio-settings.ts';
import { spacesSettings } from '../../adapters/outbound/socketio/spaces-settings.ts';
import { websocketSettings } from '../../adapters/outbound/websocket/websocket-settings.ts';
import { createConfigCheck } from './check-config.ts';
import { createConfigSchema } from './config-schema.ts';
import { type ConfigLoader, createConfigLoader } from './load-config.ts';

/** The sections of every adapter that exists. A new adapter is one more line here, and one where it is created. */
export const configSchema = createConfigSchema({
  sources: {
    memory: memorySettings.describe('The embedded broker: in this process, gone with it.'),
    pubsub: pubsubSettings.describe('Google Cloud Pub/Sub, by streaming pull.'),
    pubsubPush: pubsubPushSettings.describe('Google Cloud Pub/Sub, by push subscriptions that post to this gateway.'),
    amqp: amqpSettings.describe('RabbitMQ, by AMQP 0-9-1: queues to consume from, or exchanges that clients may bind.'),
    http: httpSettings.describe('Events from `POST /v1/events`, with tokens that say who may publish what.'),
  },
  endpoints: {
    socketio: socketioSettings.describe('Socket.IO clients of protocol 5 (`socket.io-client` 3 and 4).'),
    spaces: spacesSettings.describe('Two-way rooms for Socket.IO clients of all versions, as in Avaya Spaces.'),
    websocket: websocketSettings.describe('Bare WebSocket clients, which bind what they want to have.'),
    signalr: signalrSettings.describe('A hub for ASP.NET Core SignalR clients, over WebSockets.'),
  },
  identity: identitySettings.prefault({}).describe('Which tokens are trusted, and what they say of who presents them.'),
  checks: checksSettings.default({}).describe('Other services that access rules may ask, by name.'),
  permissionSources: permissionSourcesSettings
    .default({})
    .describe('Other services that know the permissions of a token, by name.'),
});

export type Config = z.output<typeof configSchema>;

/** Reads a config; see `ConfigLoader`. */
export const loadEdgewardConfig: ConfigLoader<Config> = (text, environment) => {
  const check = createConfigCheck({ compile: compileCondition, publisherKinds: ['memory', 'amqp', 'pubsub'] });
  return createConfigLoader({ schema: configSchema, check })(text, environment);
};
