import type { AudienceSpec } from '../load/audience.ts';
import type { RunSpec } from '../load/run-spec.ts';
import { floorJoinedPeer, floorSinglePeer } from '../peers/node-peer.ts';
import type { Situation } from './compare.ts';
import { type Measure, measureBacklog, measureRun } from './measure-run.ts';
import type { Bench } from './scenario.ts';
import type { Stand } from './stand.ts';

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
    floor: (burst > 1 ? floorJoinedPeer : floorSinglePeer).name,
    measure: (stand) => measureRun(stand, spec),
    warmUp: (stand) => measureRun(stand, { ...spec, ms: spec.ms / 2 }),
  };
}

const backlogMs = 500;
/** What is too few to tell anything, and what would take too long to put into a broker. */
const [backlogMin, backlogMax] = [1000, 20_000];

/** As many events that wait in a broker as keep the server busy for about half a second, by its rate in the run before. */
export function backlogSituation(name: string, audience: AudienceSpec, { quick }: Bench): Situation {
  const known = new WeakMap<Stand, number>();
  const measure: Measure = async (stand) => {
    const wanted = ((known.get(stand) ?? 0) * (quick ? quickRunMs : backlogMs)) / 1000;
    const events = Math.ceil(Math.min(Math.max(wanted, quick ? backlogMin / 5 : backlogMin), backlogMax));
    const figures = await measureBacklog(stand, { ...audience, events });
    known.set(stand, figures['eventsPerSecond'] ?? 0);
    return figures;
  };
  const warmUp: Measure = async (stand) => {
    await measure(stand);
    return await measure(stand);
  };
  return { name, floor: floorSinglePeer.name, measure, warmUp };
}

/** How many there are, in the words of a note. */
export const backlogNote = `Messages wait in a durable queue until the server goes on, as many as it takes in about ${backlogMs} ms.`;
