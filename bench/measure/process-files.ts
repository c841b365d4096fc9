import { readdir, readFile } from 'node:fs/promises';
import type { MemoryUse, ProcessorTime } from './server-use.ts';

const microsPerTick = 10_000;
const bytesPerPage = 4096;

/** Of any process, from Linux: the total to the nanosecond, its two parts to the tick. */
export async function processorTimeOf(pid: number): Promise<ProcessorTime> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => runTimeOf(pid, thread)));
  const fields = statFields(await readFile(`/proc/${pid}/stat`, 'utf8'));
  return {
    userMicros: Number(fields[11]) * microsPerTick,
    systemMicros: Number(fields[12]) * microsPerTick,
    totalMicros: times.reduce((sum, each) => sum + each, 0),
  };
}

async function runTimeOf(pid: number, thread: string): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    return Number(text.split(' ')[0]) / 1000;
  } catch {
    // It has ended in between.
    return 0;
  }
}

export async function memoryOf(pid: number): Promise<MemoryUse> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8');
  return { rssBytes: Number(text.split(' ')[1]) * bytesPerPage };
}

/** Behind the name, which may hold spaces itself: the first is the state (proc(5), field 3). */
const statFields = (text: string): readonly string[] => text.slice(text.lastIndexOf(')') + 2).split(' ');
