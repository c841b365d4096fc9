/** What became of one thing. Whatever is there already is left as it is. */
export type TopologyOutcome =
  /** @param detail what it is made with, for people. */
  | { readonly kind: 'created' | 'would-create'; readonly detail?: string }
  | { readonly kind: 'exists' }
  /** There, and not as the config needs it. */
  | { readonly kind: 'differs'; readonly differences: readonly string[]; readonly remedy: string }
  /** Not there, and the config does not say enough to make it. */
  | { readonly kind: 'missing'; readonly reason: string; readonly remedy: string };

/** One thing of a broker's that a config names. */
export type TopologyStep = {
  /** In the broker's words: `topic`, `subscription`; an exchange, a queue. */
  readonly kind: string;
  /** Its name in full. */
  readonly name: string;
  /**
   * Looks for it and makes it where it is not there, or tells what it would do. It may be run again, also by several at
   * once. Deletes and changes nothing. Rejects with a `Fault` that names the thing.
   */
  apply(mode: 'make' | 'look', signal: AbortSignal): Promise<TopologyOutcome>;
};

/** What a config needs of one broker. */
export interface Topology {
  /** In the order in which they can be made. */
  readonly steps: readonly TopologyStep[];
  /** What is to be known or done beside that, for people. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}
