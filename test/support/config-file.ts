import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A config file, gone with the test. */
export async function configFile(config: unknown) {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-config-'));
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, JSON.stringify(config));
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
