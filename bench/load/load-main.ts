import { answerCalls } from '../measure/remote-calls.ts';
import type { ClientSpec } from './client-spec.ts';
import { createPublisher } from './create-publisher.ts';
import { Crowd } from './crowd.ts';
import type { Publisher, PublisherSpec } from './publisher.ts';
import { run } from './run.ts';
import type { RunSpec } from './run-spec.ts';

/** The load generator, in a process and on a core of its own: all clients of one server, and its publisher. */

export type Opening = { readonly clients: ClientSpec; readonly count: number; readonly size: number };

const crowds: Crowd[] = [];
const publishers: Publisher[] = [];

answerCalls({
  /** Answers how long it took (ms). */
  async open({ clients, count, size }: Opening): Promise<number> {
    const crowd = crowds[0] ?? new Crowd(clients, size);
    if (!crowds.includes(crowd)) crowds.push(crowd);
    const begin = performance.now();
    await crowd.open(count);
    return performance.now() - begin;
  },
  async publishTo(spec: PublisherSpec): Promise<void> {
    publishers.push(await createPublisher(spec));
  },
  run(spec: RunSpec) {
    const [crowd] = crowds;
    const [publisher] = publishers;
    if (!crowd || !publisher) throw new Error('there are no clients or no publisher');
    return run(crowd, publisher, spec);
  },
  closeClients(): void {
    for (const crowd of crowds.splice(0)) crowd.close();
  },
});

process.stdout.write('ready\n');
