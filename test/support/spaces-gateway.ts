import { readFile } from 'node:fs/promises';
import type { Observation } from '../../src/application/ports/observer.ts';
import { loadEdgewardConfig } from '../../src/bootstrap/config/edgeward-config.ts';
import { composeGateway } from '../../src/bootstrap/container.ts';
import type { StopReport } from '../../src/bootstrap/gateway.ts';
import { recordingObserver } from './recording-observer.ts';
import { backendSecret, hs256, type SpacesBackend, spacesBackend } from './spaces-backend.ts';
import { type ClientOptions, connectedSpacesClient, type SpacesClient } from './spaces-clients.ts';

/** `edgeward start presets/avaya-spaces.yaml`, in this process. */
export type SpacesGateway = AsyncDisposable & {
  readonly url: string;
  readonly backend: SpacesBackend;
  readonly observations: readonly Observation[];
  /** A registered user, connected. */
  connect(user: string, options?: ClientOptions): Promise<SpacesClient>;
  /** As a back-end does over HTTP. Resolves with the status. */
  publish(space: string, data: unknown, attributes?: Readonly<Record<string, string>>): Promise<number>;
  /** As a signal does; once. */
  stop(deadlineMs: number): Promise<StopReport>;
  /** `GET /api/spaces/{space}/messages`, or another URL that it has said. */
  history(user: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
};

export type GatewayChanges = {
  readonly env?: Readonly<Record<string, string>>;
  /** Of the text of the preset. */
  readonly change?: (text: string) => string;
  readonly backend?: SpacesBackend;
};

export async function startSpaces({
  env = {},
  change = (text) => text,
  ...given
}: GatewayChanges = {}): Promise<SpacesGateway> {
  const backend = given.backend ?? (await spacesBackend());
  const text = await readFile(new URL('../../presets/avaya-spaces.yaml', import.meta.url), 'utf8');
  const environment = { HOST: '127.0.0.1', PORT: '0', ...backend.environment, ...env };
  const config = loadEdgewardConfig(change(text), environment);
  if (!config.ok) throw new Error(JSON.stringify(config.reason));
  const observer = recordingObserver();
  const gateway = await composeGateway(config.value, { version: 'test', observer });
  const { listener } = await gateway.start();
  const { url } = listener;
  return {
    url,
    backend,
    observations: observer.observations,
    connect: (user, options = {}) =>
      connectedSpacesClient(url, { query: { tokenType: 'jwt', token: backend.user(user) }, ...options }),
    async publish(space, data, attributes = {}) {
      const token = hs256(backendSecret, { sub: 'backend', exp: Math.floor(Date.now() / 1000) + 60 });
      const answer = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ stream: 'spaces', key: space, data, attributes }),
      });
      return answer.status;
    },
    history: (user, path, headers = {}) =>
      fetch(`${url}${path}`, { headers: { authorization: `jwt ${backend.user(user)}`, ...headers } }),
    stop: (deadlineMs) => gateway.stop(deadlineMs),
    async [Symbol.asyncDispose]() {
      await gateway.stop(2000);
      if (!given.backend) await backend[Symbol.asyncDispose]();
    },
  };
}
