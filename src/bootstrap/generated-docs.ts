import { readFileSync, writeFileSync } from 'node:fs';
import { commandLinePage } from './cli/command-line-page.ts';
import { configurationPage } from './config/configuration-page.ts';
import { configSchema } from './config/edgeward-config.ts';
import { editorSchema } from './config/editor-schema.ts';
import { inputSchema } from './config/load-config.ts';

/** What is generated from the code, by its path from the root of the project. One more page is one more line. */
const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/command-line.md': commandLinePage,
  'docs/configuration.md': () => configurationPage(inputSchema(configSchema)),
  'docs/edgeward.schema.json': () => `${JSON.stringify(editorSchema(inputSchema(configSchema)), undefined, 2)}\n`,
};

/** The pages that are not what the code says, by their paths; with `write` they are when this resolves. */
export async function staleDocs(root: URL, { write }: { readonly write: boolean }): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [path, page] of Object.entries(pages)) {
    const file = new URL(path, root);
    const text = await page();
    if (textOf(file) === text) continue;
    stale.push(path);
    if (write) writeFileSync(file, text);
  }
  return stale;
}

function textOf(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
