import type { Event } from '../../domain/event.ts';
import type { RoomName } from '../../domain/room.ts';
import type { PatternId } from '../../domain/stream-index.ts';

export type DeliveryTarget = { readonly rooms: readonly RoomName[]; readonly patterns: readonly PatternId[] };

/** Connections: those that took a frame, and those that were closing or over their limit. */
export type DeliveryCount = { readonly queued: number; readonly dropped: number };

export interface DeliveryChannel {
  readonly name: string;
  /**
   * Queues one frame for each matching subscription of a connection: all rooms of a connection are one, however many of
   * them it is in, and every bind is one of its own. Synchronous, never waits for a slow client, and one connection's
   * trouble is no other's. A throw is the channel's own fault.
   */
  deliver(event: Event, target: DeliveryTarget): DeliveryCount;
}
