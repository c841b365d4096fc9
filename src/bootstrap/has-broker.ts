import type { EventSource } from '../application/ports/event-source.ts';

/** Whether a source hears from its broker, or would if it were not held back. */
export const hasBroker = ({ state }: Pick<EventSource, 'state'>): boolean =>
  state.kind === 'consuming' || state.kind === 'paused';
