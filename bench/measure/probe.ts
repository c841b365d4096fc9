import { setTimeout as pause } from 'node:timers/promises';
import { answerCalls } from './remote-calls.ts';
import type { MemoryUse, ProcessorTime } from './server-use.ts';

/** Loaded before a server in Node, whatever it is: it tells what the process uses, from inside. */

declare const gc: (() => void) | undefined;

answerCalls({
  processorTime(): ProcessorTime {
    const { user, system } = process.cpuUsage();
    return { userMicros: user, systemMicros: system, totalMicros: user + system };
  },
  async memory(): Promise<MemoryUse> {
    // Twice, with a turn between, so that what is freed by callbacks is gone too.
    gc?.();
    await pause(50);
    gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rssBytes: rss, heapBytes: heapUsed + external };
  },
});
// A server that cannot start ends by itself.
process.channel?.unref();
