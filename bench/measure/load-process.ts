import type { ClientSpec } from '../load/client-spec.ts';
import type { PublisherSpec } from '../load/publisher.ts';
import type { BacklogSpec, RunReport, RunSpec } from '../load/run-spec.ts';
import { cores } from './cores.ts';
import { startNodeProcess } from './node-process.ts';

/** The clients and the publisher of one server, in a process of their own. */
export type LoadProcess = AsyncDisposable & {
  /**
   * Opens clients until there are `count`; answers how long it took (ms).
   *
   * @param size how many there will be in the end.
   */
  open(clients: ClientSpec, count: number, size?: number): Promise<number>;
  publishTo(publisher: PublisherSpec): Promise<void>;
  run(spec: RunSpec): Promise<RunReport>;
  /** Fills the broker with events for a server that is stopped. */
  fill(spec: BacklogSpec): Promise<void>;
  /** Lets that server go on, and waits until all clients have what they are owed. */
  drain(pid: number): Promise<RunReport>;
  closeClients(): Promise<void>;
};

export async function startLoad(name: string): Promise<LoadProcess> {
  const started = await startNodeProcess({
    core: cores.load,
    script: new URL('../load/load-main.ts', import.meta.url),
    ready: /^ready$/,
    name: `load-${name}`,
  });
  const { calls } = started;
  return {
    open: async (clients, count, size = count) => Number(await calls.ask('open', { clients, count, size })),
    publishTo: async (publisher) => void (await calls.ask('publishTo', publisher)),
    run: async (spec) => (await calls.ask('run', spec)) as RunReport,
    fill: async (spec) => void (await calls.ask('fill', spec)),
    drain: async (pid) => (await calls.ask('drain', pid)) as RunReport,
    closeClients: async () => void (await calls.ask('closeClients')),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}
