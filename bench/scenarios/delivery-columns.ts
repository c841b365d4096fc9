import type { Column } from '../report/scenario-report.ts';

/** What the figure before it is to that of stock Socket.IO, in the same round. */
export const stockColumn: Column = { key: 'toStock', title: '/ stock', digits: 2 };

/** What deliveries cost the server. */
export const costColumns: readonly Column[] = [
  { key: 'cpuMicros', title: 'CPU µs a delivery', digits: 2 },
  stockColumn,
  { key: 'toFloor', title: '/ floor', digits: 2 },
  { key: 'userMicros', title: 'user', digits: 2 },
  { key: 'systemMicros', title: 'system', digits: 2 },
  { key: 'perSecond', title: 'deliveries a second', digits: 0 },
  { key: 'frameBytes', title: 'frame bytes', digits: 0 },
];

/** The same, and how long they took. */
export const deliveryColumns: readonly Column[] = [
  ...costColumns,
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'p999Ms', title: 'p99.9 ms', digits: 2 },
];
