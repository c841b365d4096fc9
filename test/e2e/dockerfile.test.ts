import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyDockerContext } from '../support/docker-context.ts';
import { runDockerfile, type Stage } from '../support/dockerfile-stages.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { watchProcess } from '../support/gateway-process.ts';

const runFile = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
};
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly license: string;
  readonly description: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

const installForBuild = 'npm ci --ignore-scripts';

/** Nothing that was loaded before is at hand: on a busy machine the first start takes its time. */
const startMsMax = 40_000;

/**
 * The build, step by step, without a container engine: what the image would hold and how it would run, but for the base
 * image. The steps that need a shell see this machine's programs.
 */
describe('the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-image-'));
  const commands: string[] = [];
  let context: readonly string[] = [];
  let image: Stage;

  /** As the base image has it: none of what npm and Vitest add. What makes npm quick stays out of the Dockerfile. */
  const machine = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_ENV|INIT_CWD|VITEST.*|npm_.*)$/.test(name)),
  );
  const npmCache = { npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' };

  beforeAll(async () => {
    const folders = { context: join(folder, 'context'), stages: join(folder, 'stages') };
    await mkdir(folders.context);
    context = copyDockerContext(folders.context);
    image = await runDockerfile(text, folders, async (command, stage) => {
      commands.push(command);
      const cwd = join(stage.root, stage.workdir);
      // Whoever runs the tests has done this step in the checkout; its hundreds of megabytes end with the build stage.
      if (command === installForBuild) symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'));
      else await runFile('sh', ['-c', command], { cwd, env: { ...machine, ...npmCache, ...stage.env } });
    });
    // What mkdtemp makes is for its owner alone; the user of the image is another one.
    chmodSync(folder, 0o755);
  }, 180_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const path = (...names: readonly string[]): string => join(image.root, image.workdir, ...names);
  const words = (keyword: string): readonly string[] =>
    JSON.parse(/\[.*\]$/.exec(image.settings.get(keyword) ?? '')?.[0] ?? 'null');

  /** A command in the image, as its user where the tests may choose one. */
  function start(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [program = '', ...args] = command;
    const [uid, gid] = (image.settings.get('USER') ?? '').split(':').map(Number);
    const user = process.getuid?.() === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : {};
    const environment = { ...machine, HOME: '/', ...image.env, ...env };
    return watchProcess(spawn(program, args, { cwd: path(), env: environment, ...user }));
  }

  test('is pinned, and built by npm alone', () => {
    expect(validate(text)).toEqual([]);
    expect(image.image).toMatch(/^node:24\.\d+\.\d+-[a-z]+-slim$/);
    expect(commands).toEqual([installForBuild, 'npm run build', 'npm ci --ignore-scripts --omit=dev']);
  });

  test('a builder gets what the build needs, and nothing else that lies in the folder', () => {
    expect(context).toContain('package-lock.json');
    const folders = context.filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? '');
    expect([...new Set(folders)].toSorted()).toEqual(['bin', 'presets', 'src', 'tools']);
    expect(context.filter((file) => /\.env|\.git|test|node_modules/.test(file))).toEqual([]);
  });

  test('holds the program and what it needs', () => {
    expect(readdirSync(path()).toSorted()).toEqual([
      'LICENSE',
      'bin',
      'dist',
      'node_modules',
      'package.json',
      'presets',
    ]);
    const missing = Object.keys(packageJson.dependencies).filter((name) => !existsSync(path('node_modules', name)));
    expect(missing).toEqual([]);
    expect(readdirSync(path('presets')).toSorted()).toEqual(readdirSync(join(root, 'presets')).toSorted());
  });

  test('holds nothing of development, no test, no source', () => {
    const development = Object.entries(lock.packages).filter(([, { dev }]) => dev === true);
    expect(development.length).toBeGreaterThan(100);
    expect(development.map(([name]) => name).filter((name) => existsSync(path(name)))).toEqual([]);
    expect(globSync('{bin,dist}/**/*.test.*', { cwd: path() })).toEqual([]);
    expect(globSync('dist/**/!(*.d).ts', { cwd: path() })).toEqual([]);
  });

  test('says what it is', () => {
    expect(image.labels).toEqual({
      'org.opencontainers.image.title': 'Edgeward',
      'org.opencontainers.image.description': packageJson.description,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.base.name': `docker.io/library/${image.image}`,
    });
  });

  test('serves a config that is mounted, is healthy, and drains on SIGTERM', async () => {
    expect(image.settings.get('USER')).toBe('1000:1000');
    expect(image.settings.get('EXPOSE')).toBe('8080');
    expect(image.settings.get('STOPSIGNAL')).toBe('SIGTERM');
    expect(image.env).toMatchObject({ NODE_ENV: 'production' });
    cpSync(join(root, 'presets/demo.yaml'), path('edgeward.yaml'));
    const port = String(await freePort());
    const healthy = () => start(words('HEALTHCHECK'), { PORT: port }).exited;
    expect(await healthy(), 'before it serves').toBe(1);

    const { process: child, output, exited } = start([...words('ENTRYPOINT'), ...words('CMD')], { PORT: port });
    try {
      await eventually(async () => {
        expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      }, startMsMax);
      expect(await healthy()).toBe(0);
      child.kill(image.settings.get('STOPSIGNAL') as NodeJS.Signals);
      expect(await exited).toBe(0);
    } finally {
      child.kill('SIGKILL');
      rmSync(path('edgeward.yaml'));
    }
    expect(output()).toContain('gateway has stopped');
    expect(await healthy(), 'after it has ended').toBe(1);
  });

  test('brings the presets; a config that is not there is told by its name', async () => {
    const environment = { PUBSUB_PROJECT: 'a-project', PUBSUB_SUBSCRIPTIONS: 'orders:edgeward', PORT: '0' };
    const checked = start([...words('ENTRYPOINT'), 'check', 'presets/hiiretail.yaml'], environment);
    expect({ code: await checked.exited, output: checked.output() }).toMatchObject({ code: 0 });
    const missing = start([...words('ENTRYPOINT'), ...words('CMD')]);
    expect(await missing.exited).not.toBe(0);
    expect(missing.output()).toContain('edgeward.yaml');
  });
});
