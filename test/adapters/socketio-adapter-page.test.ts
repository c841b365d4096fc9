import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/socketio-adapter.md', root), 'utf8');
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly exports: { readonly './socketio-adapter': { readonly default: string; readonly types: string } };
};
/** Where the program comes from that users import. */
const source = manifest.exports['./socketio-adapter'].default.replace('./dist/', './src/').replace('.js', '.ts');

test('the package leads to the adapter', () => {
  expect(existsSync(new URL(source, root))).toBe(true);
  expect(manifest.exports['./socketio-adapter'].types.replace('.d.ts', '.js')).toBe(
    manifest.exports['./socketio-adapter'].default,
  );
});

test('the example of the page runs', async () => {
  const port = await freePort();
  const example = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  const code = example.replace('edgeward/socketio-adapter', source).replace('3000', String(port));
  expect(code).not.toBe(example);
  const server = spawn(process.execPath, ['--input-type=module', '--eval', code], { cwd: root, stdio: 'inherit' });
  onTestFinished(() => void server.kill());
  const client = io(`http://127.0.0.1:${port}`, { reconnectionDelay: 50, reconnectionDelayMax: 50 });
  onTestFinished(() => void client.disconnect());
  const received: unknown[] = [];
  client.onAny((...args: unknown[]) => received.push(args));
  await eventually(() => expect(received).toEqual([['joined', client.id], ['welcome']]));
});

test('the page names every option, and no other', async () => {
  const options = readFileSync(new URL(source, root), 'utf8').match(/readonly (\w+)\?:/g) ?? [];
  const named = [...page.matchAll(/^\| `(\w+)/gm)].map(([, name]) => `readonly ${name}?:`);
  expect(named).toEqual([...options]);
});
