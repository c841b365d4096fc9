/** Who is in which room. */
export class Rooms<Member> {
  readonly #rooms = new Map<string, Set<Member>>();

  join(member: Member, names: readonly string[]): void {
    for (const name of names) {
      const room = this.#rooms.get(name) ?? new Set();
      this.#rooms.set(name, room);
      room.add(member);
    }
  }

  leave(member: Member, names: readonly string[]): void {
    for (const name of names) {
      const room = this.#rooms.get(name);
      room?.delete(member);
      if (room?.size === 0) this.#rooms.delete(name);
    }
  }

  in(name: string): Iterable<Member> {
    return this.#rooms.get(name) ?? [];
  }
}
