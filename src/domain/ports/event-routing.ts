import type { Event } from '../event.ts';
import type { RoomName } from '../room.ts';

/** Total, pure and synchronous: every event gets a decision, and every decision says which rules led to it. */
export interface EventRouting {
  decide(event: Event): RoutingDecision;
}

export type RoutingDecision =
  | { readonly kind: 'routed'; readonly rooms: readonly RoomName[]; readonly rules: readonly RuleOutcome[] }
  | {
      readonly kind: 'unroutable';
      readonly cause: UnroutableCause;
      readonly reason: string;
      readonly rules: readonly RuleOutcome[];
    };

export const unroutableCauses = [
  /** No rule's stream, key and condition hold. */
  'no_rule',
  /** The rules that hold have no complete template. */
  'no_template',
  /** The event names a narrower target that no complete template uses. */
  'narrowing',
  /** A room would belong to another tenant than the event's. */
  'isolation',
  /** More rooms than one event may have. */
  'rooms_too_many',
] as const;
export type UnroutableCause = (typeof unroutableCauses)[number];

/** What one rule whose stream and key hold had to say. */
export type RuleOutcome =
  | { readonly rule: string; readonly kind: 'contributed'; readonly templates: readonly string[] }
  | { readonly rule: string; readonly kind: 'skipped'; readonly reason: string; readonly error: boolean };
