import type { RoomName } from '../../domain/room.ts';

/**
 * Which connections of an endpoint are in which rooms, or which subscriptions are for which patterns. Rooms exist as
 * long as somebody is in them.
 */
export class RoomIndex<Member, Room = RoomName> {
  readonly #rooms = new Map<Room, Set<Member>>();

  join(member: Member, rooms: readonly Room[]): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members) members.add(member);
      else this.#rooms.set(room, new Set([member]));
    }
  }

  /** @param rooms those that it joined. */
  leave(member: Member, rooms: readonly Room[]): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members?.delete(member) && members.size === 0) this.#rooms.delete(room);
    }
  }

  /** Everybody in any of the rooms, once. Members may leave while the result is gone through. */
  membersOf(rooms: readonly Room[]): Iterable<Member> {
    let first: ReadonlySet<Member> | undefined;
    let union: Set<Member> | undefined;
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (!members) continue;
      // Somebody may be in several, and only then is anything copied.
      if (first) union ??= new Set(first);
      else first = members;
      if (union) for (const member of members) union.add(member);
    }
    return union ?? first ?? [];
  }
}
