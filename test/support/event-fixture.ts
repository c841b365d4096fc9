import { Event, type EventFields } from '../../src/domain/event.ts';

/** An event with one or two things chosen, and the rest as it may be. */
export const anEvent = (fields: Partial<EventFields> = {}): Event =>
  new Event({
    id: 'event-1',
    stream: 'orders.v1',
    key: '',
    attributes: new Map(),
    payload: new Uint8Array(),
    publishedAt: Date.UTC(2026, 0, 1),
    origin: { source: 'test', properties: {} },
    ...fields,
  });
