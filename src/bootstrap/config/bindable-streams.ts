import { createTopicIndex } from '../../domain/topic-index.ts';
import { topicPattern } from './build-routing.ts';
import type { Config } from './edgeward-config.ts';

/** Which streams clients of some endpoint may bind. */
export function bindableStreams(endpoints: Config['endpoints']): (stream: string) => boolean {
  const streams = createTopicIndex<true>();
  for (const { kind, settings } of endpoints) {
    if (kind !== 'websocket') continue;
    for (const name of Object.keys(settings.exchanges)) streams.add(topicPattern(name), true);
  }
  return (stream) => streams.match(stream).length > 0;
}
