import type { StreamType } from '../../domain/stream-index.ts';
import type { CheckableAdapter } from './checkable-config.ts';
import type { Finding } from './problem.ts';

/** What a client binds means one thing, so a stream that several sources bind is matched in one way. */
export function streamTypeMistakes(sources: readonly (CheckableAdapter | undefined)[]): readonly Finding[] {
  return sources.flatMap((source, index) =>
    Object.entries(source?.settings.bindings ?? {}).flatMap(([stream, type]): readonly Finding[] => {
      const other = sources.findIndex(
        (each, at) => (at < index || each?.kind === 'memory') && (typeIn(each, stream) ?? type) !== type,
      );
      if (other === -1) return [];
      const message =
        `contradicts sources[${other}], which matches this stream as ${typeIn(sources[other], stream)}; ` +
        'use the same type, or another name for the stream';
      return [{ path: ['sources', index, source?.kind ?? '', 'bindings', stream], message }];
    }),
  );
}

/** The embedded broker has every stream. */
function typeIn(source: CheckableAdapter | undefined, stream: string): StreamType | undefined {
  if (source?.kind === 'memory') return 'topic';
  const bindings = source?.settings.bindings ?? {};
  return Object.hasOwn(bindings, stream) ? bindings[stream] : undefined;
}
