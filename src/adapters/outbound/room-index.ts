import type { RoomName } from '../../domain/room.ts';

/**
 * Which connections of an endpoint are in which rooms, or which subscriptions are for which patterns. Rooms exist as
 * long as somebody is in them.
 */
export class RoomIndex<Member, Room = RoomName> {
  /** Many rooms are one connection's own, and a set of one is 150 bytes. */
  readonly #rooms = new Map<Room, Member | Set<Member>>();

  join(member: Member, rooms: readonly Room[]): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members === undefined) this.#rooms.set(room, member);
      else if (members instanceof Set) members.add(member);
      else if (members !== member) this.#rooms.set(room, new Set([members, member]));
    }
  }

  /** @param rooms those that it joined. */
  leave(member: Member, rooms: readonly Room[]): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members === member) this.#rooms.delete(room);
      else if (members instanceof Set && members.delete(member) && members.size === 0) this.#rooms.delete(room);
    }
  }

  /** Everybody in any of the rooms, once. Members may leave while the result is gone through. */
  membersOf(rooms: readonly Room[]): Iterable<Member> {
    let first: Member | ReadonlySet<Member> | undefined;
    let union: Set<Member> | undefined;
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members === undefined) continue;
      if (first === undefined) {
        first = members;
        continue;
      }
      // Somebody may be in several, and only then is anything copied.
      union ??= new Set(listOf(first));
      for (const member of listOf(members)) union.add(member);
    }
    return union ?? (first === undefined ? [] : listOf(first));
  }
}

const listOf = <Member>(members: Member | ReadonlySet<Member>): Iterable<Member> =>
  members instanceof Set ? members : [members as Member];
