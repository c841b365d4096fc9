import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configurationPage } from './config/configuration-page.ts';
import { configSchema } from './config/edgeward-config.ts';
import { editorSchema } from './config/editor-schema.ts';
import { inputSchema } from './config/load-config.ts';

/** What is generated from the code, by its path from the root of the project. */
const pages: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': () => configurationPage(inputSchema(configSchema)),
  'docs/edgeward.schema.json': () => `${JSON.stringify(editorSchema(inputSchema(configSchema)), undefined, 2)}\n`,
};

const root = new URL('../../', import.meta.url);

/** Writes the pages, or with `--check` says which of them the code has left behind. */
function generate(check: boolean): number {
  let stale = 0;
  for (const [path, page] of Object.entries(pages)) {
    const file = fileURLToPath(new URL(path, root));
    const text = page();
    if (readOptional(file) === text) continue;
    stale += 1;
    if (!check) writeFileSync(file, text);
    process.stderr.write(check ? `${path} is not what the code says: run npm run docs\n` : `wrote ${path}\n`);
  }
  return check && stale > 0 ? 1 : 0;
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

process.exitCode = generate(process.argv.includes('--check'));
