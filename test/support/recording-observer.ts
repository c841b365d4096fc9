import type { Observation, Observer } from '../../src/application/ports/observer.ts';

/** Keeps what it is told. */
export function recordingObserver(): Observer & {
  readonly observations: readonly Observation[];
  of<K extends Observation['kind']>(kind: K): readonly Extract<Observation, { kind: K }>[];
} {
  const observations: Observation[] = [];
  return {
    observations,
    observe: (observation) => void observations.push(observation),
    of: <K extends Observation['kind']>(kind: K) =>
      observations.filter((each): each is Extract<Observation, { kind: K }> => each.kind === kind),
  };
}
