/** Rooms that one event may be sent to. Lists in an event multiply, so they must end somewhere. */
export const roomsPerEventMax = 10_000;
