import type { DenialCode } from '../../domain/denial.ts';
import type { RuleOutcome, UnroutableCause } from '../../domain/ports/event-routing.ts';
import type { SourceState } from './event-source.ts';

/** What logs, metrics and traces are made of. No payload, no token, no attribute value is ever in one. */
export type Observation =
  | { readonly kind: 'event-taken'; readonly source: string; readonly stream: string; readonly eventId: string }
  /** A source's own broker took it for nobody: none of its subscriptions wants it. */
  | { readonly kind: 'event-ignored'; readonly source: string; readonly stream: string; readonly eventId: string }
  | {
      readonly kind: 'event-routed';
      readonly source: string;
      readonly stream: string;
      readonly eventId: string;
      readonly rooms: number;
      /** What clients have bound and the event is for. */
      readonly patterns: number;
      readonly queued: number;
      readonly dropped: number;
      readonly rules: readonly RuleOutcome[];
    }
  | {
      readonly kind: 'event-unroutable';
      readonly source: string;
      readonly stream: string;
      readonly eventId: string;
      readonly cause: UnroutableCause;
      readonly reason: string;
      readonly rules: readonly RuleOutcome[];
    }
  | {
      readonly kind: 'event-delivered';
      readonly endpoint: string;
      readonly eventId: string;
      readonly queued: number;
      readonly dropped: number;
    }
  | { readonly kind: 'endpoint-failed'; readonly endpoint: string; readonly eventId: string; readonly error: unknown }
  | {
      readonly kind: 'message-settled';
      readonly source: string;
      readonly eventId: string;
      readonly settlement: 'accept' | 'retry' | 'dead-letter';
      readonly attempt: number;
      readonly cause?: string;
    }
  | { readonly kind: 'source-state'; readonly source: string; readonly state: SourceState }
  | { readonly kind: 'source-fault'; readonly source: string; readonly error: unknown }
  | {
      readonly kind: 'connection-admitted';
      readonly endpoint: string;
      readonly connection: string;
      readonly rooms: number;
    }
  | {
      readonly kind: 'topic-bound';
      readonly endpoint: string;
      readonly connection: string;
      readonly stream: string;
    }
  | {
      readonly kind: 'rooms-ignored';
      readonly endpoint: string;
      readonly connection: string;
      readonly template: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'access-denied';
      /** The endpoint or source that refused. */
      readonly endpoint: string;
      readonly connection?: string;
      readonly code: DenialCode;
      readonly reason: string;
    }
  /** There was no telling whether to let somebody in; it was told to come back. */
  | {
      readonly kind: 'access-unknown';
      readonly endpoint: string;
      readonly connection?: string;
      readonly error: unknown;
    }
  | {
      readonly kind: 'connection-closed';
      readonly endpoint: string;
      readonly connection: string;
      readonly cause: string;
    }
  /** A client did not read fast enough and was cut, so that it comes back. */
  | {
      readonly kind: 'connection-cut';
      readonly endpoint: string;
      readonly connection: string;
      readonly queuedBytes: number;
    }
  | {
      readonly kind: 'issuer-keys';
      readonly issuer: string;
      readonly outcome: 'fetched' | 'stale' | 'failed';
      readonly error?: unknown;
    }
  /** A signed token was presented: its signature was looked at, or had been before. Whether it holds is not said. */
  | {
      readonly kind: 'token-verified';
      /** The name of the kind of token. */
      readonly issuer: string;
      readonly outcome: 'checked' | 'remembered';
    }
  | {
      readonly kind: 'check-answered';
      readonly check: string;
      readonly outcome: 'allow' | 'deny' | 'failed' | 'cached' | 'open-circuit';
      readonly error?: unknown;
    }
  /** Somebody asked to be told of an event. The handler is one that is known, or `unknown`. */
  | {
      readonly kind: 'notification-requested';
      readonly handler: string;
      readonly outcome: 'added' | 'known' | 'replaced';
    }
  /** An event fired some, which are stored as such. */
  | {
      readonly kind: 'notification-matched';
      readonly source: string;
      readonly eventId: string;
      readonly count: number;
    }
  /** A try has ended. `retried`: there will be another one. */
  | {
      readonly kind: 'notification-tried';
      readonly handler: string;
      readonly notification: string;
      readonly outcome: 'sent' | 'retried' | 'failed';
      readonly attempt: number;
      readonly error?: unknown;
    }
  /** Tries of a process that has ended, which are made again: what was sent but not recorded is sent twice. */
  | { readonly kind: 'notifications-recovered'; readonly count: number }
  /** How many have fired and are not through. */
  | { readonly kind: 'notification-backlog'; readonly handler: string; readonly count: number }
  /** The store did not take something; it is tried again. */
  | { readonly kind: 'notification-store-failed'; readonly error: unknown }
  /** A client of Engine.IO 3 has connected; whether it is let in anywhere is another matter. */
  | { readonly kind: 'old-client'; readonly endpoint: string }
  /** What became of something that a client sent; `code` says why it was refused. */
  | {
      readonly kind: 'client-event';
      readonly endpoint: string;
      readonly outcome: 'taken' | 'published' | 'refused';
      readonly connection?: string;
      readonly code?: string;
    }
  /** What a client sent did not reach the broker, as far as is known. */
  | { readonly kind: 'publish-failed'; readonly endpoint: string; readonly eventId: string; readonly error: unknown }
  /** What was said in a room could not be kept or read. */
  | { readonly kind: 'history-failed'; readonly endpoint: string; readonly error: unknown }
  | { readonly kind: 'space-joined'; readonly endpoint: string; readonly connection: string }
  | {
      readonly kind: 'space-left';
      readonly endpoint: string;
      readonly connection: string;
      readonly cause: 'unsubscribed' | 'lost' | 'removed';
    }
  | { readonly kind: 'pressure'; readonly queuedBytes: number; readonly paused: boolean }
  /** An HTTP request failed through no fault of its sender. The route is its pattern, never the URL. */
  | { readonly kind: 'request-failed'; readonly method: string; readonly route: string; readonly error: unknown }
  /** A connection was turned away because as many as may be are open. */
  | { readonly kind: 'listener-full'; readonly connectionsMax: number }
  /** The listener could not take a connection, or somebody who took one over failed. It goes on listening. */
  | { readonly kind: 'listener-fault'; readonly error: unknown };

/** Must not throw, must not wait. */
export interface Observer {
  observe(observation: Observation): void;
}
