import type { Event } from '../../domain/event.ts';
import type { RoomName } from '../../domain/room.ts';

export type DeliveryTarget = { readonly rooms: readonly RoomName[] };

/** Connections: those that took a frame, and those that were closing or over their limit. */
export type DeliveryCount = { readonly queued: number; readonly dropped: number };

export interface DeliveryChannel {
  readonly name: string;
  /**
   * Queues one frame for every connection in any of the rooms, once however many of them it is in. Synchronous, never
   * waits for a slow client, and one connection's trouble is no other's. A throw is the channel's own fault.
   */
  deliver(event: Event, target: DeliveryTarget): DeliveryCount;
}
