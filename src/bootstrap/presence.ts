import type { EventPublisher } from '../application/ports/event-publisher.ts';
import type { Endpoint } from './create-endpoint.ts';
import type { Source } from './create-sources.ts';

/** What a gateway consists of, for those who watch it and are made before its parts. */
export type Presence = {
  /** Ways into brokers, by the names of the sources. */
  readonly publishers: Map<string, EventPublisher>;
  sources: readonly Source[];
  endpoints: readonly Endpoint[];
};
