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
    const occupied = rooms.map((room) => this.#rooms.get(room)).filter((members) => members !== undefined);
    const [first] = occupied;
    if (occupied.length > 1) return new Set(occupied.flatMap((members) => listOf(members)));
    if (first === undefined) return [];
    return first instanceof Set ? first : [first];
  }
}

const listOf = <Member>(members: Member | Set<Member>): readonly Member[] =>
  members instanceof Set ? [...members] : [members];
