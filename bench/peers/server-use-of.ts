import type { NodeProcess } from '../measure/node-process.ts';
import type { MemoryUse, ProcessorTime } from '../measure/server-use.ts';
import type { Peer } from './peer.ts';

/** What the probe inside a server in Node tells. */
export const serverUse = ({ calls }: NodeProcess): Pick<Peer, 'processorTime' | 'memory'> => ({
  processorTime: async () => (await calls.ask('processorTime')) as ProcessorTime,
  memory: async () => (await calls.ask('memory')) as MemoryUse,
});
