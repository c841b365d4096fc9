import { Fault } from '../../application/fault.ts';

/** Who handles which path. A slash at the end is no difference. */
export type PathTable<Handler> = {
  /** Throws a `Fault` when the path is taken. @returns what takes the handler away again. */
  add(path: string, handler: Handler): () => void;
  /** The handler of exactly this path. */
  at(path: string): Handler | undefined;
  /** The handler of this path or of the nearest one above it. */
  above(path: string): Handler | undefined;
};

export function createPathTable<Handler>(): PathTable<Handler> {
  const handlers = new Map<string, Handler>();
  return {
    add(path, handler) {
      const key = withoutEndSlash(path);
      if (handlers.has(key)) {
        throw new Fault('path_taken', 'stop', `Two endpoints have the path "${path}". Give one of them another path.`);
      }
      handlers.set(key, handler);
      return () => void handlers.delete(key);
    },
    at: (path) => handlers.get(withoutEndSlash(path)),
    above(path) {
      for (let key = withoutEndSlash(path); key !== ''; key = key.slice(0, key.lastIndexOf('/'))) {
        const handler = handlers.get(key);
        if (handler !== undefined) return handler;
      }
      return undefined;
    },
  };
}

/** The path of a request target (RFC 9112 section 3.2): nothing is decoded, the query is left away. */
export function pathOf(target: string | undefined): string {
  if (target === undefined) return '';
  const withoutOrigin = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
  const end = withoutOrigin.search(/[?#]/);
  return end === -1 ? withoutOrigin : withoutOrigin.slice(0, end);
}

const withoutEndSlash = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);
