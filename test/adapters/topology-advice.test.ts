import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { apply, configFile, openProject, ownProject } from './topology-fixture.ts';

const emulator = inject('pubsubEmulatorHost');
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/lib/google-cloud-sdk/bin'];
const hasGcloud = folders.some((folder) => existsSync(join(folder, 'gcloud')));

/** In a shell, as whoever reads it would, without credentials: the advice itself names the emulator. */
function follow(advice: string): void {
  const home = mkdtempSync(join(tmpdir(), 'edgeward-gcloud-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  execFileSync('sh', ['-c', advice], {
    env: {
      ...process.env,
      PATH: folders.join(delimiter),
      CLOUDSDK_CONFIG: home,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    },
    stdio: 'pipe',
  });
}

const adviceIn = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => /^ {2}.*?(CLOUDSDK_\S+ gcloud .*?)(?:, then apply again)?$/.exec(line)?.[1] ?? []);

describeWithPubSub('what topology apply advises', () => {
  test.skipIf(!hasGcloud)('is what gcloud takes, and puts everything right', { timeout: 120_000 }, async () => {
    const project = ownProject();
    const shared = { project, emulator, deadLetter: { topic: 'dead', by: 'policy', subscription: 'kept' } };
    const byUs = { topic: 'dead', subscription: 'kept' };
    const file = configFile(
      [
        { name: 'pulled', pubsub: { ...shared, subscriptions: ['orders.v1:no-policy', 'orders.v1:pushes'] } },
        {
          name: 'ordered',
          pubsub: { ...shared, subscriptions: ['orders.v1:unordered'], ordered: true, deadLetter: byUs },
        },
        {
          name: 'pushed',
          pubsubPush: {
            ...shared,
            subscriptions: ['orders.v1:pulled', 'orders.v1:not-there'],
            leaseMsMax: 20_000,
          },
        },
      ],
      { development: true },
    );
    const view = await openProject(emulator, project);
    for (const id of ['orders.v1', 'dead']) await view.topic(id);
    for (const id of ['no-policy', 'unordered', 'pulled']) await view.subscription(id, 'orders.v1');
    await view.subscription('pushes', 'orders.v1', { pushConfig: { pushEndpoint: 'http://127.0.0.1:1/' } });

    const { code, lines } = await apply(file);
    const advice = adviceIn(lines);
    expect({ code, count: advice.length }).toEqual({ code: 7, count: 5 });
    for (const each of advice) follow(each);
    // What had to be made again was only deleted.
    const after = await apply(file);
    expect({ code: after.code, last: after.lines.at(-1) }).toEqual({ code: 0, last: '1 created, 7 exist' });
  });
});
