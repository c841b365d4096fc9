import type { Endpoint } from './create-endpoint.ts';
import type { Source } from './create-sources.ts';

/** What a gateway consists of, for those who watch it and are made before its parts. */
export type Presence = {
  sources: readonly Source[];
  endpoints: readonly Endpoint[];
};
