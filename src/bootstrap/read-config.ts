import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { refused, type Verdict } from '../domain/verdict.ts';
import { describeProblems } from './config/describe-problems.ts';
import { type Config, loadEdgewardConfig } from './config/edgeward-config.ts';

/** What runs when no file is named. */
export const demoPreset = fileURLToPath(new URL('../../presets/demo.yaml', import.meta.url));

/** A checked config, or everything that is wrong with it as text for people. */
export async function readConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Verdict<Config>> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return refused(`${file}: ${unreadable.get(code) ?? `cannot be read (${code})`}`);
  }
  const config = loadEdgewardConfig(text, environment);
  return config.ok ? config : refused(describeProblems(file, config.reason));
}

const unreadable: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'is a folder, not a file'],
  ['EACCES', 'may not be read; look at its permissions'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'is not UTF-8 text'],
]);
