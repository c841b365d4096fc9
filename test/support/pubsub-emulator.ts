import { spawnSync } from 'node:child_process';
import { existsSync, globSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';
import { startTiedProcess } from './tied-process.ts';

/** A Pub/Sub emulator of one's own, which may be stopped and cut. What it holds is gone when it ends. */
export type PubSubEmulator = AsyncDisposable & {
  /** `host:port`, as `PUBSUB_EMULATOR_HOST` has it. */
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Stops its process without ending it; its connections stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Ends it at once, like a crash. */
  kill(): Promise<void>;
};

const jarPattern = 'platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar';

/** Where the SDK of `gcloud` may be: what its own variable says, behind the `gcloud` on the path, Debian's place. */
function sdkFolders({ CLOUDSDK_ROOT_DIR: given, PATH = '' }: NodeJS.ProcessEnv): readonly string[] {
  const commands = PATH.split(delimiter).map((folder) => join(folder || '.', 'gcloud'));
  const behind = commands
    .filter((command) => existsSync(command))
    .map((command) => join(realpathSync(command), '../..'));
  return [...(given ? [given] : []), ...behind, '/usr/lib/google-cloud-sdk'];
}

const installedJar = (environment: NodeJS.ProcessEnv): string | undefined =>
  sdkFolders(environment)
    .flatMap((folder) => globSync(join(folder, jarPattern)))
    .at(0);

/** What is missing on this machine for an emulator of one's own; nothing where one can be started. */
export function lackForPubSubEmulator(environment = process.env): string | undefined {
  if (installedJar(environment) === undefined) return 'gcloud with its component pubsub-emulator is not installed';
  const java = spawnSync('java', ['-version'], { env: environment, stdio: 'ignore' });
  return java.status === 0 ? undefined : 'Java, which the emulator of gcloud needs, is not installed';
}

const startsMax = 3;

/**
 * It ends with this process, however this process ends.
 *
 * @param port by default a free one; that of one that has ended, to come back in its place, empty.
 */
export async function startPubSubEmulator(port?: number): Promise<PubSubEmulator> {
  const jar = installedJar(process.env);
  if (jar === undefined) throw new Error(lackForPubSubEmulator());
  for (let starts = 1; ; starts += 1) {
    try {
      return await start(jar, port ?? (await freePort()));
    } catch (error) {
      // Somebody else may have taken the free port meanwhile.
      if (port !== undefined || starts === startsMax) throw error;
    }
  }
}

async function start(jar: string, port: number): Promise<PubSubEmulator> {
  const options = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m'];
  const { pid, signal, kill } = await startTiedProcess('java', {
    args: [...options, '-jar', jar, '--host=127.0.0.1', `--port=${port}`],
    ready: /Server started, listening on/,
    failed: /Address already in use/,
  });
  return {
    host: `127.0.0.1:${port}`,
    port,
    pid,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
