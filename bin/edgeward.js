#!/usr/bin/env node
// Plain JavaScript that any Node can read, since it is what tells that a Node is too old.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const nodeMajorMin = 24;

/** A checkout runs its sources by type stripping, the npm package what was built from them. */
const sources = new URL('../src/bootstrap/cli/main.ts', import.meta.url);
const inCheckout = existsSync(sources);
const ownNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) {
  await import(inCheckout ? sources.href : new URL('../dist/bootstrap/cli/main.js', import.meta.url).href);
} else if (inCheckout && existsSync(ownNode) && realpathSync(ownNode) !== realpathSync(process.execPath)) {
  runWith(ownNode);
} else {
  const remedy = inCheckout
    ? 'Run "npm ci" with its development dependencies, which brings one along.'
    : 'Install one from https://nodejs.org.';
  process.stderr.write(
    `edgeward: Node ${nodeMajorMin} or newer is needed, this is ${process.versions.node}. ${remedy}\n`,
  );
  process.exitCode = 1;
}

/** The same command in the Node that `npm ci` brought along; signals and the way it ends are passed on. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`edgeward: ${node} cannot be run: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}
