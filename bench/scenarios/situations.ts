import type { AudienceSpec } from '../load/audience.ts';
import type { RunSpec } from '../load/run-spec.ts';
import type { Situation } from './compare.ts';
import { measureBacklog, measureRun } from './measure-run.ts';
import type { Bench } from './scenario.ts';

/** With the envelope of Edgeward for Socket.IO it is a frame of about 386 bytes. */
export const payloadBytes = 258;

const runMs = 350;
const quickRunMs = 100;

/** For a server that takes its events over HTTP, before its clients come. */
export const httpWarmUp = ({ quick }: Bench, eventsMin = 1000): RunSpec => ({
  to: 'all',
  payloadBytes: [payloadBytes],
  burst: 1,
  ms: 100,
  eventsMin: quick ? 20 : eventsMin,
});

/** Bursts over HTTP, each when everybody has got the one before. */
export function burstSituation(name: string, audience: AudienceSpec, burst: number, { quick }: Bench): Situation {
  const spec = { ...audience, burst, ms: quick ? quickRunMs : runMs, eventsMin: burst };
  return {
    name,
    measure: (stand) => measureRun(stand, spec),
    warmUp: (stand) => measureRun(stand, { ...spec, ms: spec.ms / 2 }),
  };
}

/** So many events that wait in a broker. */
export function backlogSituation(name: string, audience: AudienceSpec, count: number, { quick }: Bench): Situation {
  const events = quick ? Math.ceil(count / 10) : count;
  return {
    name,
    measure: (stand) => measureBacklog(stand, { ...audience, events }),
    warmUp: (stand) => measureBacklog(stand, { ...audience, events: Math.ceil(events / 2) }),
  };
}
