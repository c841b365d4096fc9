/** How much is kept of what was said in rooms. */
export type HistoryLimits = {
  /** Of one room; the oldest go first. */
  readonly eventsPerRoomMax: number;
  /** How long an event is kept, from when it was published (milliseconds). */
  readonly ageMsMax: number;
  /** Those rooms go first in which nothing was said for longest. */
  readonly roomsMax: number;
};
