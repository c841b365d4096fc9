import type { StreamType } from '../../domain/stream-index.ts';
import { createTopicIndex } from '../../domain/topic-index.ts';
import { topicPattern } from './build-routing.ts';
import type { CheckableAdapter } from './checkable-config.ts';
import type { Finding } from './problem.ts';

type Adapters = readonly (CheckableAdapter | undefined)[];

/** What the types of streams contradict. */
export const streamTypeMistakes = (sources: Adapters, endpoints: Adapters): readonly Finding[] => [
  ...contradictingTypes(sources),
  ...keysWithoutMeaning(sources, endpoints),
];

/** What a client binds means one thing, so a stream that several sources bind is matched in one way. */
const contradictingTypes = (sources: Adapters): readonly Finding[] =>
  sources.flatMap((source, index) =>
    Object.entries(source?.settings.bindings ?? {}).flatMap(([stream, type]): readonly Finding[] => {
      const contradicts = (each: CheckableAdapter | undefined) => (typeIn(each, stream) ?? type) !== type;
      const other = sources.findIndex((each, at) => (at < index || each?.kind === 'memory') && contradicts(each));
      if (other === -1) return [];
      const message =
        `contradicts sources[${other}], which matches this stream as ${typeIn(sources[other], stream)}; ` +
        'use the same type, or another name for the stream';
      return [{ path: ['sources', index, source?.kind ?? '', 'bindings', stream], message }];
    }),
  );

/** The embedded broker has every stream. */
function typeIn(source: CheckableAdapter | undefined, stream: string): StreamType | undefined {
  if (source?.kind === 'memory') return 'topic';
  const bindings = source?.settings.bindings ?? {};
  return Object.hasOwn(bindings, stream) ? bindings[stream] : undefined;
}

/** Types by which every bind gets everything, whatever its key. */
const openTypes: readonly StreamType[] = ['fanout', 'headers'];

const readsKey = /\bbind\s*\.\s*key\b/;

/** Whoever may bind one key of such a stream gets all of them, so a rule about keys would promise what it cannot keep. */
function keysWithoutMeaning(sources: Adapters, endpoints: Adapters): readonly Finding[] {
  const open = sources
    .flatMap((source) => Object.entries(source?.settings.bindings ?? {}))
    .filter(([, type]) => openTypes.includes(type));
  return endpoints.flatMap((endpoint, index) => {
    const exchanges = Object.entries(endpoint?.settings.exchanges ?? {});
    return exchanges.flatMap(([exchange, { keyParts, require = '' }]): readonly Finding[] => {
      const field = keyParts.length > 0 ? 'keyParts' : readsKey.test(require) ? 'require' : undefined;
      if (field === undefined) return [];
      const names = createTopicIndex<true>();
      names.add(topicPattern(exchange), true);
      const stream = open.find(([name]) => names.match(name).length > 0);
      if (!stream) return [];
      const [name, type] = stream;
      const message =
        `"${name}" is of the type ${type}, which delivers every key to whoever has bound any; ` +
        'leave the key out, and say who may have all of it';
      return [{ path: ['endpoints', index, endpoint?.kind ?? '', 'exchanges', exchange, field], message }];
    });
  });
}
