import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { check } from '../../../src/bootstrap/check.ts';
import { fakeCommandIo } from '../../support/fake-command-io.ts';

const brainlife = 'presets/brainlife.yaml';
const environment = {
  AMQP_URL: 'amqp://127.0.0.1',
  AMARETTI_URL: 'https://a.example',
  WAREHOUSE_URL: 'https://w.example',
};

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-check-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'auth.pub');
  await writeFile(file, text);
  return file;
}

test('names a trailing slash that would make every question another one', async () => {
  const command = fakeCommandIo({
    env: { ...environment, AMARETTI_URL: 'https://a.example/', JWT_PUBLIC_KEY_FILE: 'k' },
  });
  expect(await check(brainlife, command.io)).toBe(3);
  expect(command.stderr()).toContain('its path has no `//`');
});

test('reads the files that a config names, and says what is wrong with one', async () => {
  const missing = fakeCommandIo({ env: { ...environment, JWT_PUBLIC_KEY_FILE: 'nowhere.pub' } });
  expect(await check(brainlife, missing.io)).toBe(3);
  expect(missing.stderr()).toBe(
    `${brainlife}: identity.tokens.brainlife: the file nowhere.pub cannot be read (ENOENT); ` +
      'correct `pemFile`, or who may read it\n',
  );
  const malformed = fakeCommandIo({ env: { ...environment, JWT_PUBLIC_KEY_FILE: await fileWith('no key') } });
  expect(await check(brainlife, malformed.io)).toBe(3);
  expect(malformed.stderr()).toContain('identity.tokens.brainlife: ');
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = await fileWith(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const right = fakeCommandIo({ env: { ...environment, JWT_PUBLIC_KEY_FILE: pem } });
  expect(await check(brainlife, right.io)).toBe(0);
  expect(right.stdout()).toBe(`${brainlife}: no problem found\n`);
});
