import type { ClientSpec } from '../load/client-spec.ts';
import type { PublisherSpec } from '../load/publisher.ts';
import type { MemoryUse, ProcessorTime } from '../measure/server-use.ts';

/** A server that is measured, running. */
export type Peer = AsyncDisposable & {
  readonly name: string;
  readonly clients: ClientSpec;
  readonly publisher: PublisherSpec;
  processorTime(): Promise<ProcessorTime>;
  memory(): Promise<MemoryUse>;
};

export type PeerSettings = {
  /** Bytes of the JSON payload of every event; of mixed sizes, any. */
  readonly payloadBytes: number;
  /** Take events from this broker instead of over HTTP. */
  readonly amqp?: { readonly url: string; readonly queue: string; readonly exchange: string };
};

export type PeerKind = {
  readonly name: string;
  /** Why it cannot be had on this machine, if so. */
  lack(): string | undefined;
  start(settings: PeerSettings): Promise<Peer>;
};
