import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { startTiedProcess, type TiedProcess } from './tied-process.ts';

/** A RabbitMQ of one's own, which may be stopped, killed and restarted. It keeps what is durable until it is disposed. */
export type RabbitMq = AsyncDisposable & {
  readonly port: number;
  /** The one that `config` was given. */
  readonly otherPort: number;
  /** With the name and the password of its one user. */
  readonly url: string;
  readonly password: string;
  /** Of the process that serves, now. */
  pid(): Promise<number>;
  /** `rabbitmqctl`, against this broker. */
  ctl(...args: readonly string[]): Promise<string>;
  /** Ends it at once, like a crash. */
  kill(): Promise<void>;
  /** After `kill`: at the same port, with what it has kept. Resolves once it serves. */
  start(): Promise<void>;
};

export type RabbitMqOptions = {
  /** Further lines of `rabbitmq.conf`, given a port that nobody has. */
  readonly config?: (otherPort: number) => readonly string[];
  /** Names of plugins to load. */
  readonly plugins?: readonly string[];
};

const programs = '/usr/lib/rabbitmq/bin';

/** Why none can be started here; nothing where one can. */
export const lackForRabbitMq = (): string | undefined =>
  existsSync(join(programs, 'rabbitmq-server')) ? undefined : 'RabbitMQ is not installed';

const [user, password] = ['edgeward', 'a-password-nobody-sees'];
const startMsMax = 60_000;

/** From the port for AMQP to that for something else, to that for nodes, and to that of the port mapper. */
const [otherOffset, nodesOffset, mapperOffset] = [10_000, 20_000, 20_001];

/** Ends with this process, however it ends, and its port mapper with it. */
export async function startRabbitMq({ config = () => [], plugins = [] }: RabbitMqOptions = {}): Promise<RabbitMq> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), `rabbitmq-${port}-`));
  const environment = await prepare(folder, port, config(port + otherOffset), plugins);
  const url = `amqp://${user}:${password}@127.0.0.1:${port}`;
  let running: TiedProcess | undefined;
  const run = promisify(execFile);

  async function start(): Promise<void> {
    // `epmd` is started by hand, so that it is one of the processes that are tied to this one.
    const script = 'epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" & echo started; exec "$0"';
    running = await startTiedProcess('sh', {
      args: ['-c', script, join(programs, 'rabbitmq-server')],
      env: environment,
      ready: /^started$/,
    });
    await untilServing(url);
  }

  async function kill(): Promise<void> {
    await running?.kill();
    running = undefined;
  }

  await start();
  return {
    port,
    otherPort: port + otherOffset,
    url,
    password,
    pid: async () => Number(await readFile(join(folder, 'pid'), 'utf8')),
    async ctl(...args) {
      const { stdout } = await run(join(programs, 'rabbitmqctl'), [...args], {
        env: { ...process.env, ...environment },
      });
      return stdout;
    },
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function prepare(
  folder: string,
  port: number,
  config: readonly string[],
  plugins: readonly string[],
): Promise<Record<string, string>> {
  await mkdir(join(folder, 'log'));
  await writeFile(join(folder, 'enabled_plugins'), `[${plugins.join(',')}].`);
  const lines = [
    `listeners.tcp.local = 127.0.0.1:${port}`,
    'log.console = false',
    `default_user = ${user}`,
    `default_pass = ${password}`,
    ...config,
  ];
  await writeFile(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  return {
    HOME: folder,
    RABBITMQ_NODENAME: `edgeward${port}@localhost`,
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_DIST_PORT: String(port + nodesOffset),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_FEATURE_FLAGS_FILE: join(folder, 'feature_flags'),
    ERL_EPMD_PORT: String(port + mapperOffset),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +S 1:1',
  };
}

async function untilServing(url: string): Promise<void> {
  for (const end = Date.now() + startMsMax; ; ) {
    try {
      const connection = await connect(url, { timeout: 5000 });
      await connection.close();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await wait(100);
    }
  }
}

/** One whose offsets are free as well, below the range that the system gives out by itself. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 2000);
    const ports = [port, port + otherOffset, port + nodesOffset, port + mapperOffset];
    const free = await Promise.all(ports.map(isFree));
    if (free.every((each) => each)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
