import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to RabbitMQ that sees what goes over it, and can say something in a client's name. */
export type AmqpTap = AsyncDisposable & {
  readonly port: number;
  /** Messages that were delivered on channels that are open, and are neither acknowledged nor given back. */
  readonly unsettled: number;
  /** Consumers that are to be cancelled, and of which the broker has not said yet that they are. */
  readonly cancelling: number;
  /** Grows with each frame, either way, heartbeats aside. */
  readonly frames: number;
  /** Names of queues as the broker said them when they were declared. */
  readonly declared: readonly string[];
  /** Makes the broker close the channel that consumes: acknowledges in its name what was never delivered. */
  closeConsumingChannel(): void;
  /** Deletes a queue in the name of the connection that consumes, which alone may delete its exclusive ones. */
  deleteQueue(queue: string): void;
  /**
   * What a client says from the next such method on stays here until `release`, which it does not know of.
   * @param method its class and number (AMQP 0-9-1).
   */
  hold(method: number): { readonly reached: Promise<void>; readonly release: () => void };
};

/** Method ids of AMQP 0-9-1 that tests hold. */
export const amqpMethods = { channelOpen: 0x0014_000a, channelClose: 0x0014_0028, consume: 0x003c_0014 } as const;

/** Class and method. */
const [channelClose, channelCloseOk, declareOk] = [0x0014_0028, 0x0014_0029, 0x0032_000b];
const [cancel, cancelOk] = [0x003c_001e, 0x003c_001f];
const [consume, deliver, ack, reject, nack] = [0x003c_0014, 0x003c_003c, 0x003c_0050, 0x003c_005a, 0x003c_0078];

type Frame = { readonly type: number; readonly channel: number; readonly payload: Buffer };
type Channel = { readonly unsettled: Set<bigint>; consumes: boolean; cancels: boolean; noAck: boolean };
type Line = { readonly channels: Map<number, Channel>; readonly broker: Socket; say: (frame: Buffer) => void };

export async function createAmqpTap(brokerUrl: string): Promise<AmqpTap> {
  const { hostname, port } = new URL(brokerUrl);
  const lines = new Set<Line>();
  const declared: string[] = [];
  const release: (() => void)[] = [];
  let frames = 0;
  let trap: { readonly method: number; readonly spring: () => void } | undefined;

  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: hostname, port: Number(port) || 5672, noDelay: true });
    const waiting: Buffer[] = [];
    const line: Line = { channels: new Map(), broker, say: (frame) => void waiting.push(frame) };
    lines.add(line);
    let held: Buffer[] | undefined;
    const sent = frameReader(8, (frame) => {
      see(frame, line);
      if (trap === undefined || frame.type !== 1 || frame.payload.readUInt32BE(0) !== trap.method) return;
      held = [];
      release.push(() => {
        for (const chunk of held ?? []) broker.write(chunk);
        held = undefined;
      });
      trap.spring();
      trap = undefined;
    });
    const received = frameReader(0, (frame) => see(frame, line));
    const sayWaiting = (): void => {
      while (sent.isBetweenFrames && waiting.length > 0) broker.write(waiting.shift() ?? '');
    };
    line.say = (frame) => {
      waiting.push(frame);
      sayWaiting();
    };
    client.on('data', (chunk: Buffer) => {
      sent.read(chunk);
      if (held) held.push(chunk);
      else broker.write(chunk);
      sayWaiting();
    });
    broker.on('data', (chunk: Buffer) => {
      received.read(chunk);
      client.write(chunk);
    });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => {
        lines.delete(line);
        other.destroy();
      });
    }
  });

  function see({ type, channel: number, payload }: Frame, line: Line): void {
    if (type === 8) return;
    frames += 1;
    if (type !== 1) return;
    const channel = line.channels.get(number) ?? {
      unsettled: new Set(),
      consumes: false,
      cancels: false,
      noAck: false,
    };
    line.channels.set(number, channel);
    follow(payload, channel, declared);
  }

  const channels = (): readonly Channel[] => [...lines].flatMap((line) => [...line.channels.values()]);

  const consuming = (): { readonly line: Line; readonly channel: number } => {
    for (const line of lines) {
      for (const [channel, { consumes }] of line.channels) if (consumes) return { line, channel };
    }
    throw new Error('nobody consumes');
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    port: address.port,
    get unsettled() {
      return channels().reduce((sum, { unsettled }) => sum + unsettled.size, 0);
    },
    get cancelling() {
      return channels().filter(({ cancels }) => cancels).length;
    },
    get frames() {
      return frames;
    },
    declared,
    closeConsumingChannel() {
      const { line, channel } = consuming();
      line.say(methodFrame(channel, ack, Buffer.from([0, 0, 0, 0, 0x3b, 0x9a, 0xca, 0, 0])));
    },
    deleteQueue(queue) {
      const { line, channel } = consuming();
      const name = Buffer.from(queue);
      // Without an answer, which the client would not know what to do with.
      line.say(
        methodFrame(channel, 0x0032_0028, Buffer.concat([Buffer.from([0, 0, name.length]), name, Buffer.from([4])])),
      );
    },
    hold(method) {
      const { promise: reached, resolve: spring } = Promise.withResolvers<void>();
      trap = { method, spring };
      return {
        reached,
        release: () => {
          for (const act of release.splice(0)) act();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const { broker } of lines) broker.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function follow(payload: Buffer, channel: Channel, declared: string[]): void {
  const method = payload.readUInt32BE(0);
  if (method === consume) {
    const queueEnd = 7 + payload.readUInt8(6);
    const tagEnd = queueEnd + 1 + payload.readUInt8(queueEnd);
    channel.consumes = true;
    channel.noAck = (payload.readUInt8(tagEnd) & 2) !== 0;
  } else if (method === deliver) {
    if (!channel.noAck) channel.unsettled.add(payload.readBigUInt64BE(5 + payload.readUInt8(4)));
  } else if (method === ack || method === reject || method === nack) {
    channel.unsettled.delete(payload.readBigUInt64BE(4));
  } else if (method === channelClose || method === channelCloseOk) {
    channel.unsettled.clear();
    channel.consumes = false;
    channel.cancels = false;
  } else if (method === cancel || method === cancelOk) {
    channel.cancels = method === cancel;
  } else if (method === declareOk) {
    declared.push(payload.subarray(5, 5 + payload.readUInt8(4)).toString());
  }
}

function frameReader(skip: number, onFrame: (frame: Frame) => void) {
  let rest = Buffer.alloc(0);
  let left = skip;
  return {
    get isBetweenFrames(): boolean {
      return left === 0 && rest.length === 0;
    },
    read(chunk: Buffer): void {
      const skipped = Math.min(left, chunk.length);
      left -= skipped;
      rest = Buffer.concat([rest, chunk.subarray(skipped)]);
      while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(3)) {
        const end = 7 + rest.readUInt32BE(3);
        onFrame({ type: rest.readUInt8(0), channel: rest.readUInt16BE(1), payload: rest.subarray(7, end) });
        rest = rest.subarray(end + 1);
      }
    },
  };
}

function methodFrame(channel: number, method: number, fields: Buffer): Buffer {
  const head = Buffer.alloc(11);
  head.writeUInt8(1, 0);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(4 + fields.length, 3);
  head.writeUInt32BE(method, 7);
  return Buffer.concat([head, fields, Buffer.of(0xce)]);
}
