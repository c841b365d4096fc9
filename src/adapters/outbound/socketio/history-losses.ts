import type { RoomName } from '../../../domain/room.ts';

const roomsMax = 10_000;

/** Where the history has failed to keep something, for as long as the process runs. */
export class HistoryLosses {
  readonly #rooms = new Set<RoomName>();
  #isFailing = false;

  /** Whether it failed when it was last asked to keep something. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  kept(): void {
    this.#isFailing = false;
  }

  lost(room: RoomName): void {
    this.#isFailing = true;
    if (this.#rooms.size < roomsMax) this.#rooms.add(room);
  }

  /** Beyond so many rooms nobody can tell, and it may be in each. */
  isIn(room: RoomName): boolean {
    return this.#rooms.size >= roomsMax || this.#rooms.has(room);
  }
}
