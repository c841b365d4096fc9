import type { FastifyPluginAsync } from 'fastify';
import {
  createHttpListener,
  type HttpListener,
  type ListenAddress,
} from '../../src/adapters/operations/http-listener.ts';
import { listenSettings } from '../../src/adapters/operations/listen-settings.ts';
import { recordingObserver } from './recording-observer.ts';

export type ListenerFixture = AsyncDisposable & {
  readonly listener: HttpListener;
  readonly address: ListenAddress;
  readonly observer: ReturnType<typeof recordingObserver>;
};

/** A listener on a port of its own. */
export async function startListener(
  settings: Record<string, unknown> = {},
  prepare: (listener: HttpListener) => void = () => undefined,
  routes: readonly FastifyPluginAsync[] = [],
): Promise<ListenerFixture> {
  const observer = recordingObserver();
  const listener = createHttpListener({
    settings: listenSettings.parse({ port: 0, ...settings }),
    section: 'listen',
    observer,
  });
  prepare(listener);
  for (const route of routes) listener.register(route);
  const address = await listener.listen();
  return {
    listener,
    address,
    observer,
    [Symbol.asyncDispose]: () => listener.close(AbortSignal.abort()),
  };
}
