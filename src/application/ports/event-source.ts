import type { Event } from '../../domain/event.ts';
import type { StreamType } from '../../domain/stream-index.ts';
import type { TopicPattern } from '../../domain/topic-pattern.ts';
import type { Verdict } from '../../domain/verdict.ts';

/** What a source hands over: the event, and how often the broker (or the source itself) has offered it, from 1. */
export type BrokerMessage = { readonly event: Event; readonly attempt: number };

/** What becomes of a message. Only handlers decide it, only the source acts on it. */
export type Settlement =
  | { readonly kind: 'accept' }
  | { readonly kind: 'retry'; readonly cause: string }
  | { readonly kind: 'dead-letter'; readonly cause: string };

/**
 * Answers at once where nothing has to be waited for. Never throws or rejects; a source that meets one that does counts
 * it as `retry`, never as `accept`.
 */
export type MessageHandler = (message: BrokerMessage) => Settlement | Promise<Settlement>;

/** What a source's broker can and cannot do. Contract clauses are chosen by trait, never by name. */
export type SourceTraits = {
  /** Unaccepted messages come back. */
  readonly redelivers: boolean;
  /** Messages of one stream and key arrive in the order of publishing, also across a retry. */
  readonly ordered: boolean;
  /** `dead-letter` moves the message to a place where it can be found. */
  readonly deadLetters: boolean;
  /** How long a message may stay unsettled before the broker offers it again; `Infinity` where it never does. */
  readonly leaseMs: number;
  /** What is not settled when the process ends is there afterwards, with the broker or with the publisher. */
  readonly keepsBacklog: boolean;
  /** Settlements mean something to the broker. Where they do not, a message is gone once it has been handed over. */
  readonly settles: boolean;
  /** What is published while the source is cut off from its broker is there when it is back. */
  readonly survivesReconnect: boolean;
  /** What was published before its start, or was left by one before it, reaches it. */
  readonly inheritsBacklog: boolean;
  /** Losing the connection takes nothing out of hand: it may be settled when there is one again. */
  readonly leaseOutlivesConnection: boolean;
};

export type SourceState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  /** Not consuming yet and not broken: what it needs is not there. `isConnected`: the broker is, though. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly isConnected: boolean }
  | { readonly kind: 'consuming' }
  /** Holding intake back until the pressure has gone. */
  | { readonly kind: 'paused'; readonly reason: string }
  | { readonly kind: 'draining' };

/** Messages: settled since the drain began, and left unsettled by the source. */
export type DrainResult = { readonly settled: number; readonly abandoned: number };

export interface EventSource {
  readonly name: string;
  readonly traits: SourceTraits;
  readonly state: SourceState;
  /** Resolves once the broker confirmed consumption; rejects with a `Fault` that names what is missing. */
  start(handler: MessageHandler): Promise<void>;
  /**
   * Takes nothing new, lets handlers finish, settles them. What is not settled when the signal aborts is abandoned and
   * stays with the broker. Idempotent: every call gets the one result. Never rejects.
   *
   * A source that does not keep its backlog hands over what it has, paused or not, each message once at most. What is
   * given back then, or not settled when the signal aborts, is abandoned. Where it is the broker itself it refuses what
   * is published from now on.
   */
  drain(deadline: AbortSignal): Promise<DrainResult>;
  /** Holds intake back, or lets it go on. What was handed over already is not affected. */
  pause(reason: string): void;
  resume(): void;
}

/** What a client has asked for, at a source. */
export interface Binding {
  /** Gone from the broker within a second. Idempotent, never throws, waits for nobody. */
  release(): void;
}

/** `no-stream`: the broker has no such stream. `no-pattern`: the stream takes no such pattern, at this broker at least. */
export type BindRefusal = { readonly kind: 'no-stream' | 'no-pattern'; readonly reason: string };

/** A source that takes what clients ask for, beside or instead of what its config names. */
export interface BindableSource extends EventSource {
  /** How the stream's patterns match, or `undefined` where it is none that this source binds. */
  streamType(stream: string): StreamType | undefined;
  /**
   * Resolves once the broker has the binding: what is published from then on is handed over, once for all of the
   * source's bindings that match. Only for streams that have a type here, and once for each stream and pattern: the
   * caller counts who needs it. A refusal disturbs no other binding.
   *
   * Waits while the source is not started or cut off from its broker; bindings are restored when it is back. Rejects
   * with a `Fault` when the broker cannot take it now, when the signal aborts and when the source drains; then nothing
   * is left behind.
   */
  bind(stream: string, pattern: TopicPattern, signal: AbortSignal): Promise<Verdict<Binding, BindRefusal>>;
}
