import type { MemoryBroker } from '../../src/adapters/inbound/memory/memory-broker.ts';
import { createMemorySource } from '../../src/adapters/inbound/memory/memory-source.ts';
import { Fault } from '../../src/application/fault.ts';
import type {
  DrainResult,
  EventSource,
  MessageHandler,
  SourceState,
} from '../../src/application/ports/event-source.ts';
import type { Event } from '../../src/domain/event.ts';
import type { EventSourceHarness, HarnessContext } from '../contracts/event-source-harness.ts';
import { type MemorySource, memoryHarness, memoryHarnessSettings } from '../contracts/memory-harness.ts';
import { purge } from './broken-memory-source.ts';

/** What may be wrong with a source that has a connection to lose. */
export type LinkFlaws = {
  readonly staysCut?: boolean;
  readonly settlesWhenCut?: boolean;
  readonly channelStaysClosed?: boolean;
  readonly silent?: boolean;
  readonly ignoresDeletion?: boolean;
  readonly createsTopology?: boolean;
  readonly namesNothing?: boolean;
};

const missingQueue = 'orders.missing';

/**
 * The embedded broker behind a connection that can be cut, so that the clauses about trouble are seen to hold and to
 * fail before there is a network. It stands in for no real broker: those run the same clauses themselves.
 */
export async function linkedMemoryHarness(context: HarnessContext, flaws: LinkFlaws = {}): Promise<EventSourceHarness> {
  const linked: LinkedSource[] = [];
  const make = (broker: MemoryBroker, queue?: string): LinkedSource => {
    const source = new LinkedSource(broker, context, flaws, queue);
    linked.push(source);
    return source;
  };
  const harness = await memoryHarness(context, (broker) => make(broker));
  return {
    ...harness,
    faults: {
      async cutConnection() {
        for (const source of linked) await source.cut('the connection is cut');
        return {
          async restore() {
            if (!flaws.staysCut) for (const source of linked) await source.connect();
          },
        };
      },
      async closeChannel() {
        for (const source of linked) {
          await source.cut('the channel is closed');
          if (!flaws.channelStaysClosed) await source.connect();
        }
      },
      async deleteQueue() {
        for (const source of linked) if (!flaws.ignoresDeletion) await source.cut('the queue is deleted');
      },
      missingTopology: () => ({ source: make(harness.broker, missingQueue), missing: missingQueue }),
    },
  };
}

class LinkedSource implements MemorySource {
  readonly name = 'memory';
  readonly traits;
  readonly #context: HarnessContext;
  readonly #broker: MemoryBroker;
  readonly #flaws: LinkFlaws;
  readonly #missing: string | undefined;
  #inner: EventSource;
  #handler: MessageHandler | undefined;
  #state: SourceState = { kind: 'stopped' };

  constructor(broker: MemoryBroker, context: HarnessContext, flaws: LinkFlaws, missing: string | undefined) {
    this.#broker = broker;
    this.#context = context;
    this.#flaws = flaws;
    this.#missing = missing;
    this.#inner = this.#consumer();
    this.traits = this.#inner.traits;
  }

  get state(): SourceState {
    return this.#state;
  }

  async start(handler: MessageHandler): Promise<void> {
    if (this.#missing && !this.#flaws.createsTopology) {
      const what = this.#flaws.namesNothing ? 'something' : `the queue "${this.#missing}"`;
      throw new Fault('queue_missing', 'stop', `${what} does not exist`);
    }
    this.#handler = handler;
    await this.connect();
  }

  async connect(): Promise<void> {
    if (!this.#handler) return;
    await this.#inner.start(this.#handler);
    this.#become({ kind: 'consuming' });
  }

  async cut(reason: string): Promise<void> {
    if (!this.#handler) return;
    const abandoned = this.#inner.drain(AbortSignal.abort());
    this.#inner = this.#consumer();
    await abandoned;
    if (this.#flaws.settlesWhenCut) purge(this.#broker);
    if (!this.#flaws.silent) {
      const error = new Fault('link_lost', 'retry', reason);
      this.#context.observer.observe({ kind: 'source-fault', source: this.name, error });
    }
    this.#become({ kind: 'waiting', reason, isConnected: false });
  }

  drain(deadline: AbortSignal): Promise<DrainResult> {
    return this.#inner.drain(deadline);
  }

  /** The broker is on the other side of the connection. */
  publish(event: Event): Promise<void> {
    return this.#broker.publish(event);
  }

  pause(reason: string): void {
    this.#inner.pause(reason);
  }

  resume(): void {
    this.#inner.resume();
  }

  #consumer(): EventSource {
    return createMemorySource(this.name, memoryHarnessSettings, {
      clock: this.#context.clock,
      observer: { observe: () => {} },
      broker: this.#broker,
    });
  }

  #become(state: SourceState): void {
    this.#state = state;
    this.#context.observer.observe({ kind: 'source-state', source: this.name, state });
  }
}
