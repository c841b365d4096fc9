import type { Event } from '../../domain/event.ts';
import type { RoomName } from '../../domain/room.ts';

/** An event as it is kept. Positions of a room grow from 1 and are never used again, nor is one that was trimmed. */
export type HistoryEntry = { readonly position: number; readonly event: Event };

/** Entries after or before a position, which neither includes; with neither, the newest. */
export type HistoryRange =
  | { readonly from: 'newest' | 'oldest'; readonly limit: number }
  | { readonly after: number; readonly limit: number }
  | { readonly before: number; readonly limit: number };

export type HistoryPage = {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
};

/**
 * What was said in rooms, bounded by count and age: what is beyond either is not read any more, and is gone soon.
 * Methods reject with a `Fault` when the store cannot be had.
 */
export interface History {
  /**
   * Keeps an event as the newest of its room; resolves with its position once it is kept. Of events of one room those
   * that were given first come first, whether the first was waited for or not. One whose id the room has already is not
   * kept again, and its position is that of the first.
   */
  append(room: RoomName, event: Event): Promise<number>;
  /** Sees everything whose `append` was called before. */
  read(room: RoomName, range: HistoryRange): Promise<HistoryPage>;
  /** Of the event with the id; nothing when the room has none, or has it no more. */
  positionOf(room: RoomName, eventId: string): Promise<number | undefined>;
  /** What was given before is kept. Idempotent, never rejects. */
  close(): Promise<void>;
}
