import type { EventSource } from '../application/ports/event-source.ts';

/** Whether a source is connected to its broker, also where it is held back, or misses something else. */
export const hasBroker = ({ state }: Pick<EventSource, 'state'>): boolean =>
  state.kind === 'consuming' || state.kind === 'paused' || (state.kind === 'waiting' && state.isConnected);
