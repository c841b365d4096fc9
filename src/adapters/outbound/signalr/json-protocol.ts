import { textFrame } from '../text-frame.ts';
import { handshakeAnswer } from './handshake.ts';
import { type HubMessage, hubMessage, recordTypes } from './hub-message.ts';
import type { HubArgument, HubProtocol } from './hub-protocol.ts';

const { invocation, item, completion, ping, close } = recordTypes;

const frame = (record: string): Buffer => textFrame(`${record}\x1e`);

const argumentText = ({ kind, text }: HubArgument): string => (kind === 'json' ? text : JSON.stringify(text));

/**
 * Records of JSON (signalr-protocol 3): text frames, `type` first, and nothing that is null, which Java's client cannot
 * read.
 */
export const jsonProtocol: HubProtocol = {
  name: 'json',
  framing: 'separated',
  read,
  greeting: textFrame(handshakeAnswer()),
  ping: frame(`{"type":${ping}}`),
  invocation: (method, argument) =>
    frame(`{"type":${invocation},"target":${JSON.stringify(method)},"arguments":[${argumentText(argument)}]}`),
  item: (id, argument) =>
    frame(`{"type":${item},"invocationId":${JSON.stringify(id)},"item":${argumentText(argument)}}`),
  completion: (id, error) => frame(JSON.stringify({ type: completion, invocationId: id, error })),
  close: ({ error, allowReconnect }) =>
    frame(JSON.stringify({ type: close, error, allowReconnect: allowReconnect || undefined })),
};

function read(record: Buffer): HubMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(record.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined;
  const fields = new Map(Object.entries(message));
  return hubMessage({
    type: fields.get('type'),
    id: fields.get('invocationId'),
    target: fields.get('target'),
    args: fields.get('arguments'),
  });
}
