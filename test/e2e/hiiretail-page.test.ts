import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { openTerminal, printed, readPage, terminalsOf } from '../support/page-terminals.ts';

const page = readPage('hiiretail');

test.skipIf(!inject('pubsubEmulatorHost'))(
  'the lines of docs/presets/hiiretail.md show an event arriving',
  { timeout: 180_000 },
  async () => {
    const [emulator = [], issuer = [], gateway = [], till = [], backEnd = [], ...more] = terminalsOf(page);
    expect(more).toEqual([]);
    // Addresses and the project are others, since tests run side by side.
    const places = new Map([['project', `page-${randomUUID().slice(0, 8)}`]]);
    const here = (lines: readonly string[]): readonly string[] =>
      lines.map((line) =>
        line
          .replaceAll(/127\.0\.0\.1:(8085|8090|8080)/g, (address) => places.get(address) ?? address)
          .replaceAll(/(--project=|PUBSUB_PROJECT=|projects\/)demo\b/g, `$1${places.get('project')}`),
      );

    expect(emulator).toEqual([expect.stringMatching(/^gcloud beta emulators pubsub start /)]);
    if (inject('canStartPubSubEmulators')) {
      places.set('127.0.0.1:8085', `127.0.0.1:${await freePort()}`);
      const terminal = openTerminal();
      // In the shell's place: gcloud makes a group of its own where it is not the first of one.
      terminal.type(here(emulator).map((line) => `exec ${line}`));
      await printed(terminal, /Server started, listening on/);
    } else {
      places.set('127.0.0.1:8085', inject('pubsubEmulatorHost'));
    }

    const issuing = openTerminal({ ISSUER_PORT: '0' });
    issuing.type(here(issuer));
    places.set('127.0.0.1:8090', (await printed(issuing, /127\.0\.0\.1:\d+/))[0]);

    const serving = openTerminal({ PORT: '0', HOST: '127.0.0.1' });
    serving.type(here(gateway));
    await printed(serving, /created topic .*che\.public\.event\.session-changed\.v1/);
    await printed(serving, /created subscription .*edgeward/);
    const [, address = ''] = await printed(serving, /clients connect to http:\/\/(127\.0\.0\.1:\d+)/);
    places.set('127.0.0.1:8080', address);

    const receiving = openTerminal();
    receiving.type(here(till));
    await printed(receiving, /^connected as \S+$/m);

    const publishing = openTerminal();
    const [line = ''] = here(backEnd);
    publishing.type([line.replace('"Business-Unit-Id":"7"', '"Business-Unit-Id":"8"'), line]);
    await printed(publishing, /"messageIds"[\s\S]*"messageIds"/);
    const [received] = await printed(receiving, /che\.public\.event\.session-changed\.v1 [\s\S]*/);
    // The one for another unit was published before.
    expect(received).toMatch(
      /^che\.public\.event\.session-changed\.v1 \{ session: 1 \} \{\s+publishTime: '\S+Z',\s+messageId: '\d+',\s+tenantId: 'demo',\s+businessUnitId: '7'\s+\}$/m,
    );
    expect(receiving.output()).not.toContain("businessUnitId: '8'");
  },
);
