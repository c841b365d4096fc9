import type { AudienceSpec } from './audience.ts';

/** One measurement of the load: what is published to whom, and for how long. */
export type RunSpec = AudienceSpec & {
  /** Events that are handed over at once: the next ones when everybody has got those before. */
  readonly burst: number;
  /** Events in a second, at even intervals, whatever is on its way; absent: as fast as they arrive. */
  readonly perSecond?: number;
  /** Ends after so long (ms), and not before `eventsMin` events. */
  readonly ms: number;
  readonly eventsMin: number;
};

/** Events that wait in a broker for a server that is stopped, until it goes on. */
export type BacklogSpec = AudienceSpec & { readonly events: number };

export type RunReport = {
  readonly events: number;
  readonly deliveries: number;
  readonly elapsedMs: number;
  /** Of the WebSocket frames, for each delivery. */
  readonly frameBytes: number;
  /** From just before publishing to the client, of some of the clients (µs). */
  readonly latency: { readonly p50: number; readonly p99: number; readonly p999: number; readonly samples: number };
};
