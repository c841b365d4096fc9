// npm 10 drops node_modules/.bin/node when it prunes the builds of other platforms; this puts it back.
// Only a checkout has this folder: the npm package does not ship it, and its consumers run no install script.
import { existsSync, readdirSync, symlinkSync } from 'node:fs';

const modules = new URL('../../node_modules/', import.meta.url);
if (process.platform !== 'win32' && !existsSync(new URL('.bin/node', modules))) {
  const build = new RegExp(`^node(-bin)?-${process.platform}-${process.arch}$`);
  const folder = readdirSync(modules).find((name) => build.test(name));
  if (folder) symlinkSync(`../${folder}/bin/node`, new URL('.bin/node', modules));
}
