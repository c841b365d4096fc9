import type { HubMessage } from './hub-message.ts';
import type { Framing } from './record-reader.ts';

export const protocolNames = ['json', 'messagepack'] as const;
export type ProtocolName = (typeof protocolNames)[number];

/** The one argument of an event: a text, or JSON. */
export type HubArgument = { readonly kind: 'text' | 'json'; readonly text: string };

export type CloseReason = { readonly error?: string | undefined; readonly allowReconnect: boolean };

/** How records look on the wire. What is made here are ready WebSocket frames, each with one whole record. */
export type HubProtocol = {
  readonly name: ProtocolName;
  readonly framing: Framing;
  /** `undefined` for a record that breaks the protocol; never throws. */
  read(record: Buffer): HubMessage | undefined;
  /** The frame of a handshake that succeeds. */
  readonly greeting: Buffer;
  readonly ping: Buffer;
  /** Throws for an argument that the protocol cannot say, as `item` does. */
  invocation(method: string, argument: HubArgument): Buffer;
  item(id: string, argument: HubArgument): Buffer;
  completion(id: string, error?: string): Buffer;
  close(reason: CloseReason): Buffer;
};
