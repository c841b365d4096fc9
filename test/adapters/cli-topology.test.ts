import { expect, inject, test } from 'vitest';
import { startEdgeward } from '../support/gateway-process.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { configFile, openProject, ownProject } from './topology-fixture.ts';

/** All that a command prints, once it has ended by itself. */
async function run(...args: readonly string[]) {
  const { process: child, output, exited } = startEdgeward({ args });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const code = await exited;
  await closed;
  return { code, output: output() };
}

const source = { subscriptions: ['orders.v1:edge'], onDeadLetter: 'discard' };

describeWithPubSub('edgeward topology apply as a process', () => {
  test('makes, finds, tells differences, and ends by itself with a code for each', async () => {
    const [project, emulator] = [ownProject(), inject('pubsubEmulatorHost')];
    const file = configFile([{ pubsub: { ...source, project, emulator } }]);
    const wouldBe = await run('topology', 'apply', file, '--dry-run');
    expect(wouldBe.code).toBe(0);
    expect(wouldBe.output).toMatch(/\n2 would be created; nothing was changed\n$/);
    const made = await run('topology', 'apply', file);
    expect(made.code).toBe(0);
    expect(made.output).toMatch(/\n2 created\n$/);
    expect(await (await openProject(emulator, project)).subscriptions()).toEqual(['edge']);
    const ordered = configFile([{ pubsub: { ...source, project, emulator, ordered: true } }]);
    const differs = await run('topology', 'apply', ordered);
    expect(differs.code).toBe(7);
    expect(differs.output).toMatch(/\n1 exists, 1 differs\n$/);
  });
});

test('a broker that cannot be reached ends with 4', async () => {
  const file = configFile([{ pubsub: { ...source, project: 'shop', emulator: '127.0.0.1:1' } }]);
  const { code, output } = await run('topology', 'apply', file);
  expect(code).toBe(4);
  expect(output).toMatch(/edgeward: source "pubsub": Pub\/Sub at 127\.0\.0\.1:1 does not answer/);
});

test('a config with problems ends with 3, and a wrong command line with 2', async () => {
  expect((await run('topology', 'apply', configFile([{ pubsub: source }]))).code).toBe(3);
  expect(await run('topology', 'apply')).toEqual({ code: 2, output: expect.stringContaining("argument 'file'") });
  expect(await run('topology')).toEqual({ code: 2, output: expect.stringContaining('Usage: edgeward topology') });
});

test('completion knows the command below the command, and its options', async () => {
  expect((await run('complete', '--', 'topology', '')).output).toMatch(/^apply\t/);
  expect((await run('complete', '--', 'topology', 'apply', '--push')).output).toMatch(
    /^--push-url\t.*\n--push-account\t/,
  );
});
