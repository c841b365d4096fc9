import { Fault } from '../application/fault.ts';
import type { TopicBindings } from '../application/topic-bindings.ts';
import { topicPattern } from './config/build-routing.ts';
import type { Config } from './config/edgeward-config.ts';

/**
 * What the clients of an endpoint send comes back to it: where a source takes only what is asked for, everything of that
 * stream is. Rejects with a `Fault` when the broker has no such stream.
 */
export async function bindStreams(
  endpoints: Config['endpoints'],
  bindings: Pick<TopicBindings, 'bind'>,
  stopping: AbortSignal,
): Promise<void> {
  for (const { name, kind, settings } of endpoints) {
    if (kind !== 'spaces') continue;
    const { stream } = settings.publish;
    const bound = await bindings.bind({ stream, pattern: topicPattern('#') }, stopping);
    if (!bound.ok) throw streamMissing(name, stream, bound.reason.reason);
  }
}

const streamMissing = (endpoint: string, stream: string, reason: string): Fault =>
  new Fault(
    'spaces_stream_missing',
    'stop',
    `endpoint "${endpoint}": the stream "${stream}" cannot be bound: ${reason}`,
  );
