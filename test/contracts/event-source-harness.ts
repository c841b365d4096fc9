import type { Clock } from '../../src/application/ports/clock.ts';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import type { Observer } from '../../src/application/ports/observer.ts';

/** What a clause publishes. What it leaves out is left out on the wire too, where the broker allows that. */
export type PublishedMessage = {
  readonly payload: Uint8Array;
  readonly key?: string;
  readonly id?: string;
  readonly attributes?: ReadonlyMap<string, string>;
};

export type DeadLetter = { readonly payload: Uint8Array; readonly attributes: ReadonlyMap<string, string> };

/** Trouble that a harness can make between a source and its broker, or on the broker. */
export type SourceFaults = {
  /** Cuts the source's connection and lets none through until `restore` is called. */
  cutConnection?(): Promise<{ restore(): Promise<void> }>;
  /** Makes the broker close the source's channel, stream or consumer; the connection stays. */
  closeChannel?(): Promise<void>;
  /** Deletes the queue or subscription that the source consumes from. */
  deleteQueue?(): Promise<void>;
  /** A source whose queue or subscription is not there, and how an error should call it. */
  missingTopology?(): { readonly source: EventSource; readonly missing: string };
};

export type EventSourceHarness = AsyncDisposable & {
  /** Not started. Takes at most `inFlightMax` messages at once, and waits little before it offers one again. */
  readonly source: EventSource;
  /** Another one for the same backlog, not started; to be started when the first has been drained. */
  secondSource(): EventSource;
  /**
   * Resolves once the broker has the message; with a source that is the broker itself, once it is on its way. Rejects
   * when the source that was made last takes messages itself and refuses this one.
   */
  publish(message: PublishedMessage): Promise<void>;
  /** How many messages the broker (or the publisher, where a source has no broker) still has, unsettled ones too. */
  backlog(): Promise<number>;
  /** Empty where the source's traits say that there are none. */
  deadLettered(): Promise<readonly DeadLetter[]>;
  /**
   * Resolves when everything that the broker is going to hand over has been: past the time that a retried message
   * waits, and past the lease that hides an unsettled one.
   */
  quiet(): Promise<void>;
  /** From 2 to 10. */
  readonly inFlightMax: number;
  /** Passwords and tokens that the source was given. */
  readonly secrets: readonly string[];
  readonly faults?: SourceFaults;
};

/** What a harness builds its sources with. */
export type HarnessContext = { readonly clock: Clock; readonly observer: Observer };

/** Makes a broker, queue or server of its own, under names of its own, so that clauses disturb each other nowhere. */
export type MakeEventSourceHarness = (context: HarnessContext) => Promise<EventSourceHarness>;
