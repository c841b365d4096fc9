import { broadcast } from './broadcast.ts';
import { connects } from './connects.ts';
import { growth } from './growth.ts';
import { intake } from './intake.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { rooms } from './rooms.ts';
import type { Scenario } from './scenario.ts';
import { sizes } from './sizes.ts';
import { targeted } from './targeted.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  broadcast,
  targeted,
  rooms,
  sizes,
  intake,
  connects,
  memory,
  growth,
  latency,
];
