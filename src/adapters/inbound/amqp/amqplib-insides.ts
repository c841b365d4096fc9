import type { Duplex } from 'node:stream';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { AmqpMessage } from './amqp-message.ts';
import { decodeProperties } from './amqp-properties.ts';

/** What this adapter knows of amqplib's insides (`lib/connection.js`, 2.3.1) and its types do not say. */
type Insides = {
  readonly stream: Duplex;
  /** As the broker and the client have agreed. */
  readonly channelMax: number;
  readonly frameMax: number;
  /** Bytes that have come and are no frame yet, or are several. */
  rest: Buffer;
  /** The next frame, or nothing; takes it off `rest`, and reads from the stream what is missing. */
  recvFrame(): unknown;
};

const insidesOf = ({ connection }: ChannelModel): Insides => connection as unknown as Insides;

const headerFrame = 2;
const frameHeadBytes = 7;
const frameEnd = 0xce;

/**
 * Content headers are read by `decodeProperties`: amqplib puts tables into plain objects, where a header `__proto__` is
 * lost, reads whole numbers beyond 2^53 wrongly, and closes the connection over a table that it cannot read, so that
 * one message would come back and close it again, for good.
 */
export function readContentHeaders(model: ChannelModel): void {
  const insides = insidesOf(model);
  const readFrame = insides.recvFrame.bind(insides);
  insides.recvFrame = () => {
    const { rest } = insides;
    if (rest.length < frameHeadBytes || rest[0] !== headerFrame) return readFrame();
    const end = frameHeadBytes + rest.readUInt32BE(3);
    if (rest[end] !== frameEnd) return readFrame();
    insides.rest = rest.subarray(end + 1);
    const payload = rest.subarray(frameHeadBytes, end);
    return {
      id: payload.readUInt16BE(0),
      channel: rest.readUInt16BE(1),
      size: payload.readUInt32BE(4) * 0x1_0000_0000 + payload.readUInt32BE(8),
      fields: decodeProperties(payload.subarray(12)),
    };
  };
}

/** How many channels may be open at once. */
export const channelsMax = (model: ChannelModel): number => insidesOf(model).channelMax;

/** amqplib writes headers into a buffer of this length, and throws when they are longer. */
const headersBytesMax = 65_536;

/** How many bytes of a content header go on the channel, where that is less than what amqplib refuses by itself. */
export function headerBytesAllowed(channel: Channel): number {
  const { frameMax } = channel.connection as unknown as Insides;
  return frameMax > headersBytesMax + 4096 ? Number.POSITIVE_INFINITY : frameMax - frameHeadBytes - 1;
}

/** A message of a connection whose content headers are read so. */
export const asRead = (message: ConsumeMessage): AmqpMessage => message as unknown as AmqpMessage;

/**
 * Ends the connection without the broker's answer, which may never come. Only an error makes amqplib close its channels
 * and stop its timers; after a good end it takes no notice of one.
 */
export const destroyConnection = (model: ChannelModel): void =>
  void insidesOf(model).stream.destroy(new Error('the broker does not answer'));
