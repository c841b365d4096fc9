import { staleDocs } from './generated-docs.ts';

/** `npm run docs` writes the generated pages; with `--check` it says which of them the code has left behind. */
const check = process.argv.includes('--check');
const stale = await staleDocs(new URL('../../', import.meta.url), { write: !check });
for (const path of stale) {
  process.stderr.write(check ? `${path} is not what the code says; run npm run docs\n` : `wrote ${path}\n`);
}
process.exitCode = check && stale.length > 0 ? 1 : 0;
