/** Processor time of a process since it began (µs). User and system are counted in ticks where the process is not Node. */
export type ProcessorTime = {
  readonly userMicros: number;
  readonly systemMicros: number;
  readonly totalMicros: number;
};

/** @property heapBytes what JavaScript holds, in its heap and outside; of processes in Node only. */
export type MemoryUse = { readonly rssBytes: number; readonly heapBytes?: number };
