import type { ClientSpec } from '../load/client-spec.ts';
import type { PublisherSpec } from '../load/publisher.ts';
import type { MemoryUse, ProcessorTime } from '../measure/server-use.ts';

/** A server that is measured, running. */
export type Peer = AsyncDisposable & {
  readonly name: string;
  readonly pid: number;
  readonly clients: ClientSpec;
  readonly publisher: PublisherSpec;
  processorTime(): Promise<ProcessorTime>;
  memory(): Promise<MemoryUse>;
  /** How many messages it has consumed, of one that has no clients. */
  readonly consumed?: () => Promise<number>;
};

/** Where a server takes events from instead of over HTTP. */
export type Feed =
  | { readonly kind: 'amqp'; readonly url: string; readonly exchange: string; readonly queue: string }
  | {
      readonly kind: 'pubsub';
      readonly emulator: string;
      readonly project: string;
      readonly topic: string;
      readonly subscription: string;
    };

export type PeerSettings = {
  /** Bytes of the JSON payload of every event; of mixed sizes, any. */
  readonly payloadBytes: number;
  readonly feed?: Feed | undefined;
  /** Public key of the issuer of the clients' tokens, which are RS256 then. */
  readonly pemFile?: string;
};

export type PeerKind = {
  readonly name: string;
  /** Why it cannot be had on this machine, if so. */
  lack(): string | undefined;
  start(settings: PeerSettings): Promise<Peer>;
};
