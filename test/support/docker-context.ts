import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What `.dockerignore` lets through. It leaves out everything but the paths that it names, so that this is all it says. */
export function allowedPaths(dockerignore: string): readonly string[] {
  const [first, ...others] = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*') throw new Error('.dockerignore must begin with *');
  return others.map((line) => {
    const path = /^!([\w./-]+)$/.exec(line)?.[1];
    if (path === undefined) throw new Error(`.dockerignore: ${line} does not name one path that is let through`);
    return path;
  });
}

/** Copies what a clean checkout sends to an engine, and says which files that are. */
export function copyDockerContext(folder: string): readonly string[] {
  const allowed = allowedPaths(readFileSync(join(root, '.dockerignore'), 'utf8'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root });
  const gone = new Set(deleted.toString().split('\0'));
  const files = listed
    .toString()
    .split('\0')
    .filter((file) => !gone.has(file))
    .filter((file) => allowed.some((path) => file === path || file.startsWith(`${path}/`)));
  for (const file of files) cpSync(join(root, file), join(folder, file));
  return files;
}
