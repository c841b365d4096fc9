import { z } from 'zod';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

/** Where a store keeps what it is given. */
export type StoreLocation = { readonly kind: 'memory' } | { readonly kind: 'file'; readonly path: string };

/** @param text `memory:`, `file:PATH`, `sqlite:PATH` or a plain path. A relative path begins in the working directory. */
export function parseStoreLocation(text: string): Verdict<StoreLocation> {
  if (/^memory:(\/\/)?$/.test(text)) return allowed({ kind: 'memory' });
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file' && scheme !== 'sqlite') {
    return refused('must be memory:, or file: with the path of a SQLite file');
  }
  // `file:data.sqlite`, `file:/data.sqlite` and `file:///data.sqlite`.
  const path = scheme === undefined ? text : text.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.startsWith('//')) return refused('must have the path of a file on this machine');
  // What SQLite takes for a file of no name, or of a process.
  if (/^:|^(\/\/)?memory:?$/i.test(path))
    return refused('names no file; write memory: for what is gone with the process');
  if (/^(file|sqlite):/i.test(path)) return refused('must have one scheme: file: and a path');
  if (/[?#\0]/.test(path)) return refused('must be a path and nothing else: no "?" and no "#"');
  if (/(^|\/)\.{0,2}$/.test(path)) return refused('is a folder; name a file');
  return allowed({ kind: 'file', path });
}

export const storeLocationText = z.string().superRefine((text, context) => {
  const location = parseStoreLocation(text);
  if (!location.ok) context.addIssue({ code: 'custom', message: location.reason });
});
