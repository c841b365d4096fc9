import { Fault } from '../application/fault.ts';
import type { Observer } from '../application/ports/observer.ts';
import type { TopicBindings } from '../application/topic-bindings.ts';
import { topicPattern } from './config/build-routing.ts';
import type { Config } from './config/edgeward-config.ts';

export type BindingParts = {
  readonly bindings: Pick<TopicBindings, 'bind'>;
  /** Whether every source has its broker. */
  readonly isConnected: () => boolean;
  readonly stopping: AbortSignal;
  readonly observer: Observer;
};

/**
 * What the clients of an endpoint send comes back to it: where a source takes only what is asked for, everything of that
 * stream is. Rejects with a `Fault` when the broker has no such stream.
 */
export async function bindStreams(
  endpoints: Config['endpoints'],
  { bindings, isConnected, stopping, observer }: BindingParts,
): Promise<void> {
  const bindAll = async (): Promise<void> => {
    for (const { name, kind, settings } of endpoints) {
      if (kind !== 'spaces') continue;
      const { stream } = settings.publish;
      const bound = await bindings.bind({ stream, pattern: topicPattern('#') }, stopping);
      if (!bound.ok) throw streamMissing(name, stream, bound.reason.reason);
    }
  };
  // A broker that is waited for keeps nobody from starting.
  if (isConnected()) return bindAll();
  bindAll().catch((error: unknown) => {
    if (!stopping.aborted) observer.observe({ kind: 'source-fault', source: 'bindings', error });
  });
}

const streamMissing = (endpoint: string, stream: string, reason: string): Fault =>
  new Fault(
    'spaces_stream_missing',
    'stop',
    `endpoint "${endpoint}": the stream "${stream}" cannot be bound: ${reason}`,
  );
