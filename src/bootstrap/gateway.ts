import type { KeyedIdentityVerifier } from '../adapters/identity/identity-verifier.ts';
import type { HttpListener, ListenAddress } from '../adapters/operations/http-listener.ts';
import type { MessageHandler } from '../application/ports/event-source.ts';
import type { Endpoint } from './create-endpoint.ts';
import type { Notifications } from './create-notifications.ts';
import type { Source } from './create-sources.ts';

export type GatewayParts = {
  readonly listener: HttpListener;
  /** A listener of its own for `/readyz` and `/metrics`, where the config has one. */
  readonly operations: HttpListener | undefined;
  readonly identity: KeyedIdentityVerifier;
  readonly endpoints: readonly Endpoint[];
  /** In the order in which they start. */
  readonly sources: readonly Source[];
  /** What people asked to be told of, where the config has it. */
  readonly notifications: Notifications | undefined;
  readonly handlerFor: (source: Source) => MessageHandler;
  /** Binds what endpoints want of the sources for as long as they are there; rejects with a `Fault` that names it. */
  readonly bindStreams: () => Promise<void>;
  /** Aborted when the gateway begins to stop. */
  readonly stopping: AbortController;
};

export type GatewayAddresses = {
  readonly listener: ListenAddress;
  readonly operations: ListenAddress | undefined;
};

/** Messages and connections. */
export type StopReport = {
  readonly settled: number;
  readonly abandoned: number;
  readonly flushed: number;
  readonly cut: number;
};

export type Gateway = {
  /** What a notification may ask for and does not get here, and why; for the operator. */
  readonly off: readonly { readonly handler: string; readonly reason: string }[];
  /**
   * Resolves when events flow; rejects with a `Fault` that names what is missing, after stopping what had started.
   * Of no consequence once it is stopping: what is under way may end in either way.
   */
  start(): Promise<GatewayAddresses>;
  /** Clients are not heard any more, sources drain, clients are told to come back, the listener closes. Idempotent, never rejects. */
  stop(deadlineMs: number): Promise<StopReport>;
};

/** Of the deadline, for messages to settle: what is left is for the queues of the clients. */
const settlingShare = 0.7;

/** Starts from the outside in, so that clients are there before events come, and stops the other way round. */
export function createGateway(parts: GatewayParts): Gateway {
  let stopped: Promise<StopReport> | undefined;
  const gateway: Gateway = {
    off: parts.notifications?.off ?? [],
    async start() {
      try {
        return await start(parts);
      } catch (error) {
        await gateway.stop(0);
        throw error;
      }
    },
    stop(deadlineMs) {
      stopped ??= stop(parts, deadlineMs);
      return stopped;
    },
  };
  return gateway;
}

async function start(parts: GatewayParts) {
  const { listener, operations, identity, endpoints, sources, notifications, handlerFor, bindStreams, stopping } =
    parts;
  const operationsAddress = await operations?.listen();
  for (const endpoint of endpoints) await endpoint.open();
  // Not waited for: whoever comes before the keys are here waits for them at the door.
  void identity.warm();
  if (!stopping.signal.aborted) await notifications?.start();
  const address = await listener.listen();
  for (const source of sources) {
    if (!stopping.signal.aborted) await source.start(handlerFor(source));
  }
  if (!stopping.signal.aborted) await bindStreams();
  return { listener: address, operations: operationsAddress };
}

async function stop(parts: GatewayParts, deadlineMs: number): Promise<StopReport> {
  const { listener, operations, identity, endpoints, sources, notifications, stopping } = parts;
  const settling = AbortSignal.timeout(deadlineMs * settlingShare);
  const deadline = AbortSignal.timeout(deadlineMs);
  const report = { settled: 0, abandoned: 0, flushed: 0, cut: 0 };
  stopping.abort();
  // What clients send goes through the sources' ways into their brokers, so these close after it.
  await Promise.all(endpoints.map(async (endpoint) => endpoint.stopHearing?.(settling)));
  for (const source of sources.toReversed()) {
    const { settled, abandoned } = await source.drain(settling);
    report.settled += settled;
    report.abandoned += abandoned;
  }
  const finished = notifications?.finish(deadline);
  for (const { flushed, cut } of await Promise.all(endpoints.map((endpoint) => endpoint.close(deadline)))) {
    report.flushed += flushed;
    report.cut += cut;
  }
  await finished;
  await listener.close(deadline);
  await notifications?.close();
  await operations?.close(deadline);
  identity.close();
  return report;
}
