import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { amqpUrl } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { openTerminal, printed, readPage, terminalsOf } from '../support/page-terminals.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';

testWithRabbitMq('the lines of docs/presets/salto-ks.md show an entry arriving', { timeout: 180_000 }, async () => {
  const [preparing = [], gateway = [], client = [], backEnd = [], ...more] = terminalsOf(readPage('salto-ks'));
  expect(more).toEqual([]);
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-page-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [site, keyPort] = [randomUUID(), await freePort()];
  // Addresses and the site are others, since tests run side by side; and npx takes seconds that show nothing.
  let address = '127.0.0.1:8080';
  const here = (lines: readonly string[]): readonly string[] =>
    lines.map((line) =>
      line
        .replaceAll(/\bs1\b/g, site)
        .replaceAll('amqp://guest:guest@127.0.0.1', amqpUrl)
        .replaceAll('identity.key', join(folder, 'identity.key'))
        .replaceAll(/\b8090\b/g, String(keyPort))
        .replaceAll('npx edgeward', 'node bin/edgeward.js')
        .replaceAll('edgeward.js tail', `edgeward.js tail --url http://${address}`),
    );

  const making = openTerminal();
  making.type(here(preparing));
  const keysUrl = `http://127.0.0.1:${keyPort}/`;
  await eventually(async () => expect((await fetch(keysUrl)).status).toBe(200), 20_000);
  const serving = openTerminal({ PORT: '0', HOST: '127.0.0.1' });
  serving.type(here(gateway));
  [, address = ''] = await printed(serving, /clients connect to http:\/\/(127\.0\.0\.1:\d+)/);
  const receiving = openTerminal();
  receiving.type(here(client));
  await printed(receiving, /connected to \S+entries$/m);
  const publishing = openTerminal();
  publishing.type(here(backEnd));
  await printed(receiving, /lock_opened/);
});
