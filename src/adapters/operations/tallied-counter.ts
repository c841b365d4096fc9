import { Counter, type Registry } from 'prom-client';

export type TalliedCounter = {
  /** The values are those of the labels, in the order of their names. */
  add(count: number, value: string, secondValue?: string): void;
};

export type TalliedCounterSettings = {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [string] | readonly [string, string];
};

/**
 * A counter for what happens with every event. It keeps plain numbers, and makes series of them when the metrics are
 * read: prom-client looks its labels through each time that it counts, which costs more than most of what is counted.
 */
export function createTalliedCounter(
  registry: Registry,
  { name, help, labelNames }: TalliedCounterSettings,
): TalliedCounter {
  const tally = new Map<string, Map<string, number>>();
  const [firstName, secondName] = labelNames;
  new Counter<string>({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [first, bySecond] of tally) {
        for (const [second, count] of bySecond) {
          this.inc(
            secondName === undefined ? { [firstName]: first } : { [firstName]: first, [secondName]: second },
            count,
          );
        }
      }
    },
  });
  return {
    add(count, first, second = '') {
      let bySecond = tally.get(first);
      if (!bySecond) {
        bySecond = new Map();
        tally.set(first, bySecond);
      }
      bySecond.set(second, (bySecond.get(second) ?? 0) + count);
    },
  };
}
