import type { Condition } from './condition.ts';
import type { RoomTemplate } from './room-template.ts';
import type { TopicPattern } from './topic-pattern.ts';

export type RoutingRule = {
  /** For reasons: the name from the config, or its place there. */
  readonly name: string;
  readonly stream: TopicPattern;
  readonly key: TopicPattern;
  readonly when?: Condition | undefined;
  /** Variables that the key's words give, in order; `''` skips a word. */
  readonly keyParts: readonly string[];
  /** Attributes that hold a list, with their separators. */
  readonly lists: ReadonlyMap<string, string>;
  /** `firstOf`: the first complete template; `eachOf`: every complete one. */
  readonly choice: 'firstOf' | 'eachOf';
  readonly templates: readonly RoomTemplate[];
  /** Names that make an event narrower: one that carries such a name reaches nobody unless a complete template uses it. */
  readonly narrowing: readonly string[];
  /** The rooms are repeated below each of these. */
  readonly alsoUnder: readonly RoomTemplate[];
  /** For events without a tenant, to rooms without one. Where there is no isolation it changes nothing. */
  readonly withoutTenant: boolean;
};
