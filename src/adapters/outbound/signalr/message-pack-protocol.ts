import { decode, encode } from '@msgpack/msgpack';
import { binaryFrame } from '../binary-frame.ts';
import { handshakeAnswer } from './handshake.ts';
import { type HubMessage, hubMessage, recordTypes } from './hub-message.ts';
import type { HubArgument, HubProtocol } from './hub-protocol.ts';
import { isWholeValue } from './message-pack-extent.ts';

const { invocation, item, completion, ping, close } = recordTypes;

/** Kinds of completion: with an error, and without a result. */
const withError = 1;
const withoutResult = 2;

/** Every record has a map of headers, which is empty here. */
const headers = {};

/** The library's own limit is 100. From about 2500 on it would run out of stack. */
const depthMax = 1000;

/** Throws for what is nested deeper than that. */
function frame(record: readonly unknown[]): Buffer {
  const body = encode(record, { maxDepth: depthMax });
  return binaryFrame(lengthPrefix(body.length), body);
}

/** 7 bits a byte, the low ones first. */
export function lengthPrefix(length: number): Uint8Array {
  const bytes: number[] = [];
  let rest = length;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

const argumentValue = ({ kind, text }: HubArgument): unknown => (kind === 'json' ? JSON.parse(text) : text);

/** Records of MessagePack (signalr-protocol 11): binary frames, each record with its length before it. */
export const messagePackProtocol: HubProtocol = {
  name: 'messagepack',
  framing: 'length-prefixed',
  read,
  // As ASP.NET, which has changed to binary by then. The handshake itself is JSON.
  greeting: binaryFrame(Buffer.from(handshakeAnswer())),
  ping: frame([ping]),
  invocation: (method, argument) => frame([invocation, headers, null, method, [argumentValue(argument)], []]),
  item: (id, argument) => frame([item, headers, id, argumentValue(argument)]),
  completion: (id, error) =>
    frame(error === undefined ? [completion, headers, id, withoutResult] : [completion, headers, id, withError, error]),
  close: ({ error, allowReconnect }) => frame([close, error ?? null, allowReconnect]),
};

function read(record: Buffer): HubMessage | undefined {
  const message = decoded(record);
  if (!Array.isArray(message)) return undefined;
  const [type, , id, target, args] = message as readonly unknown[];
  return hubMessage({ type, id, target, args });
}

function decoded(record: Buffer): unknown {
  try {
    return isWholeValue(record) ? decode(record) : undefined;
  } catch {
    return undefined;
  }
}
