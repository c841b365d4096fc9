import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';
import { lackForRabbitMq, startRabbitMq } from '../../test/support/rabbitmq-broker.ts';
import { openRawConnection } from '../../test/support/raw-connection.ts';
import { startTiedProcess } from '../../test/support/tied-process.ts';
import type { ClientKind } from '../load/client-spec.ts';
import { cores, moveToCore, onCore } from '../measure/cores.ts';
import { memoryOf, processorTimeOf } from '../measure/process-files.ts';
import type { PeerKind } from './peer.ts';

type SystemServer = {
  readonly name: string;
  readonly program: string;
  readonly clients: 'nats' | 'mqtt';
  readonly ready: RegExp;
  readonly config: (ports: { readonly own: number; readonly websocket: number }) => string;
};

/** A server of the system's own packages, one of its own on free ports. */
const systemPeer = ({ name, program, clients, ready, config }: SystemServer): PeerKind => ({
  name,
  lack: () => (existsSync(program) ? undefined : 'not installed'),
  async start({ payloadBytes }) {
    const folder = await mkdtemp(join(tmpdir(), 'edgeward-bench-'));
    const file = join(folder, 'server.conf');
    const ports = { own: await freePort(), websocket: await freePort() };
    await writeFile(file, config(ports));
    const [command = '', ...args] = onCore(cores.server, [program, '-c', file]);
    const server = await startTiedProcess(command, { args, ready });
    return {
      name,
      pid: server.pid,
      clients: { kind: clients, port: ports.websocket, payloadBytes },
      publisher: { kind: clients, port: ports.own },
      processorTime: () => processorTimeOf(server.pid),
      memory: () => memoryOf(server.pid),
      async [Symbol.asyncDispose]() {
        await server.kill();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

export const natsPeer = systemPeer({
  name: 'NATS',
  program: '/usr/sbin/nats-server',
  clients: 'nats',
  ready: /Server is ready/,
  // The pending bytes are those of a slow client; the default of 64 MB is kept.
  config: ({ own, websocket }) => `
    listen: "127.0.0.1:${own}"
    max_connections: 20000
    ping_interval: "10m"
    websocket { listen: "127.0.0.1:${websocket}", no_tls: true, compression: false }
  `,
});

export const mosquittoPeer = systemPeer({
  name: 'Mosquitto',
  program: '/usr/sbin/mosquitto',
  clients: 'mqtt',
  ready: /mosquitto version \S+ running/,
  config: ({ own, websocket }) =>
    [
      'allow_anonymous true',
      'log_dest stderr',
      'set_tcp_nodelay true',
      `listener ${own} 127.0.0.1`,
      `listener ${websocket} 127.0.0.1`,
      'protocol websockets\n',
    ].join('\n'),
});

const answersMsMax = 30_000;

const stompKind: ClientKind = 'stomp';

export const webStompPeer: PeerKind = {
  name: 'RabbitMQ Web-STOMP',
  lack: () => (lackForRabbitMq() === undefined ? undefined : 'not installed'),
  async start({ payloadBytes }) {
    const config = (port: number) => [
      'web_stomp.tcp.ip = 127.0.0.1',
      `web_stomp.tcp.port = ${port}`,
      // It takes clients that say nothing for gone.
      'web_stomp.ws_opts.idle_timeout = 3600000',
      ...ownStompPort(port),
    ];
    const broker = await startRabbitMq({ plugins: ['rabbitmq_web_stomp'], config });
    // Plugins may begin to listen behind the broker itself.
    await eventually(async () => {
      await using _connection = await openRawConnection(broker.otherPort);
    }, answersMsMax);
    const pid = await broker.pid();
    moveToCore(cores.server, pid);
    const url = new URL(broker.url);
    return {
      name: 'RabbitMQ Web-STOMP',
      pid,
      clients: { kind: stompKind, port: broker.otherPort, payloadBytes, user: url.username, password: url.password },
      publisher: { kind: 'amqp', url: broker.url, exchange: 'amq.topic' },
      processorTime: () => processorTimeOf(pid),
      memory: () => memoryOf(pid),
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
};

/**
 * The plugin for STOMP over TCP, which the other one needs, would listen at its standard port on every interface. Not at a
 * port that a client's end of a connection may have.
 */
const ownStompPort = (port: number): readonly string[] => [`stomp.listeners.tcp.1 = 127.0.0.1:${port + 1}`];
