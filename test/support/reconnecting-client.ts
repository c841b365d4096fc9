import { createRequire } from 'node:module';
import type * as Package from 'reconnecting-websocket';

/** The client of brainlife's web pages. Its types are those of a module, and it is none. */
export const ReconnectingWebSocket = createRequire(import.meta.url)(
  'reconnecting-websocket',
) as (typeof Package)['default']['default'];
