import type { Clock } from '../../application/ports/clock.ts';
import type { History, HistoryEntry, HistoryPage, HistoryRange } from '../../application/ports/history.ts';
import type { Event } from '../../domain/event.ts';
import type { RoomName } from '../../domain/room.ts';
import type { HistoryLimits } from './history-settings.ts';

export type MemoryHistoryLimits = HistoryLimits & {
  /** Of all events together; rooms go as for `roomsMax`. */
  readonly bytesMax: number;
};

type Kept = HistoryEntry & { readonly bytes: number };

type Room = {
  /** By the ids of the events, oldest first. */
  readonly entries: Map<string, Kept>;
  last: number;
};

/** What an event costs beside its bytes: the objects that hold it, roughly. */
const overheadBytes = 512;

/** What is here is gone when the process is. */
export function createMemoryHistory(limits: MemoryHistoryLimits, clock: Clock): History {
  return new MemoryHistory(limits, clock);
}

class MemoryHistory implements History {
  readonly #limits: MemoryHistoryLimits;
  readonly #clock: Clock;
  /** In the order in which something was said last. */
  readonly #rooms = new Map<RoomName, Room>();
  /** Where rooms go on from that were given up: a position is used once. */
  #lastEver = 0;
  #bytes = 0;

  constructor(limits: MemoryHistoryLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  async append(name: RoomName, event: Event): Promise<number> {
    const room = this.#rooms.get(name) ?? { entries: new Map<string, Kept>(), last: this.#lastEver };
    const known = room.entries.get(event.id);
    if (known && !this.#isOld(known)) return known.position;
    if (known) this.#drop(room, event.id, known);
    room.last += 1;
    const kept = { position: room.last, event, bytes: overheadBytes + event.payload.byteLength };
    room.entries.set(event.id, kept);
    this.#bytes += kept.bytes;
    this.#rooms.delete(name);
    this.#rooms.set(name, room);
    this.#trimOldest(room);
    this.#giveUpRooms(name);
    return kept.position;
  }

  async read(name: RoomName, range: HistoryRange): Promise<HistoryPage> {
    const room = this.#rooms.get(name);
    if (!room) return { entries: [], hasOlder: false, hasNewer: false };
    this.#trim(room);
    const all = [...room.entries.values()];
    const [begin, end] = boundsOf(all, range);
    const entries = all.slice(begin, end).map(({ position, event }) => ({ position, event }));
    return { entries, hasOlder: begin > 0, hasNewer: end < all.length };
  }

  async positionOf(name: RoomName, eventId: string): Promise<number | undefined> {
    const room = this.#rooms.get(name);
    if (room) this.#trim(room);
    return room?.entries.get(eventId)?.position;
  }

  async close(): Promise<void> {}

  #isOld({ event }: Kept): boolean {
    return event.publishedAt < this.#clock.now() - this.#limits.ageMsMax;
  }

  /** As far as it goes without looking at each. */
  #trimOldest(room: Room): void {
    for (const [id, kept] of room.entries) {
      if (room.entries.size <= this.#limits.eventsPerRoomMax && !this.#isOld(kept)) return;
      this.#drop(room, id, kept);
    }
  }

  /** Clocks of publishers differ, so that one which is old may stand behind one which is not. */
  #trim(room: Room): void {
    for (const [id, kept] of room.entries) {
      if (room.entries.size > this.#limits.eventsPerRoomMax || this.#isOld(kept)) this.#drop(room, id, kept);
    }
  }

  #drop(room: Room, id: string, kept: Kept): void {
    room.entries.delete(id);
    this.#bytes -= kept.bytes;
  }

  #giveUpRooms(newest: RoomName): void {
    for (const [name, room] of this.#rooms) {
      const isTooMuch = this.#rooms.size > this.#limits.roomsMax || this.#bytes > this.#limits.bytesMax;
      if (!isTooMuch || name === newest) return;
      for (const [id, kept] of room.entries) this.#drop(room, id, kept);
      this.#lastEver = Math.max(this.#lastEver, room.last);
      this.#rooms.delete(name);
    }
  }
}

/** Places in a list that is in the order of positions: from, and up to but without. */
function boundsOf(all: readonly Kept[], range: HistoryRange): readonly [number, number] {
  const size = all.length;
  if ('after' in range) {
    const next = all.findIndex(({ position }) => position > range.after);
    const begin = next === -1 ? size : next;
    return [begin, Math.min(size, begin + range.limit)];
  }
  if ('before' in range) {
    const next = all.findIndex(({ position }) => position >= range.before);
    const end = next === -1 ? size : next;
    return [Math.max(0, end - range.limit), end];
  }
  return range.from === 'oldest' ? [0, Math.min(size, range.limit)] : [Math.max(0, size - range.limit), size];
}
