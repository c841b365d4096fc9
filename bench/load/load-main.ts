import { answerCalls } from '../measure/remote-calls.ts';
import { fillBacklog } from './backlog.ts';
import type { ClientSpec } from './client-spec.ts';
import { createPublisher } from './create-publisher.ts';
import { Crowd } from './crowd.ts';
import type { Publisher, PublisherSpec } from './publisher.ts';
import { run } from './run.ts';
import type { BacklogSpec, RunReport, RunSpec } from './run-spec.ts';

/** The load generator, in a process and on a core of its own: all clients of one server, and its publisher. */

type Opening = { readonly clients: ClientSpec; readonly count: number; readonly size: number };

type Load = {
  crowd?: Crowd | undefined;
  publisher?: Publisher;
  drain?: (pid: number) => Promise<RunReport>;
};
const load: Load = {};

answerCalls({
  /** Answers how long it took (ms). */
  async open({ clients, count, size }: Opening): Promise<number> {
    load.crowd ??= new Crowd(clients, size);
    const begin = performance.now();
    await load.crowd.open(count);
    return performance.now() - begin;
  },
  async publishTo(spec: PublisherSpec): Promise<void> {
    load.publisher = await createPublisher(spec);
  },
  run: (spec: RunSpec) => run(...parts(), spec),
  async fill(spec: BacklogSpec): Promise<void> {
    load.drain = await fillBacklog(...parts(), spec);
  },
  drain: (pid: number) => load.drain?.(pid),
  closeClients(): void {
    load.crowd?.close();
    load.crowd = undefined;
  },
});

function parts(): [Crowd, Publisher] {
  if (!load.crowd || !load.publisher) throw new Error('there are no clients or no publisher');
  return [load.crowd, load.publisher];
}

process.stdout.write('ready\n');
