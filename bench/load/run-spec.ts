/** One measurement of the load: what is published to whom, and for how long. */
export type RunSpec = {
  /** `each`: one client after another; `groups`: one group of `groupSize` after another. */
  readonly to: 'all' | 'each' | 'groups';
  readonly groupSize?: number;
  /** Events that are handed over at once. */
  readonly burst: number;
  /**
   * Events that may be on their way. With as many as `burst` the next ones are published when everybody has got those
   * before.
   */
  readonly window: number;
  /** Events in a second, at even intervals, whatever is on its way; absent: as fast as `window` allows. */
  readonly perSecond?: number;
  /** Bytes of the payloads, in turn. */
  readonly payloadBytes: readonly number[];
  /** Ends after so long (ms), and not before `eventsMin` events. */
  readonly ms: number;
  readonly eventsMin: number;
  readonly eventsMax: number;
};

export type RunReport = {
  readonly events: number;
  readonly deliveries: number;
  readonly elapsedMs: number;
  /** From just before publishing to the client, of some of the clients (µs). */
  readonly latency: { readonly p50: number; readonly p99: number; readonly p999: number; readonly samples: number };
};
