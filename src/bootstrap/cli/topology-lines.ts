import type { TopologyOutcome, TopologyStep } from '../../application/ports/topology.ts';

export type NamedThing = Pick<TopologyStep, 'kind' | 'name'>;

/** For people: a line for each thing, and what is to be done about it below. */
export function outcomeLines({ kind, name }: NamedThing, outcome: TopologyOutcome): string {
  switch (outcome.kind) {
    case 'created':
    case 'would-create':
      return `${words[outcome.kind]} ${kind} ${name}${outcome.detail === undefined ? '' : `: ${outcome.detail}`}\n`;
    case 'exists':
      return `${words.exists} ${kind} ${name}\n`;
    case 'differs':
      return `${words.differs} ${kind} ${name}: ${outcome.differences.join('; ')}\n  ${outcome.remedy}\n`;
    case 'missing':
      return `${words.missing} ${kind} ${name}: ${outcome.reason}\n  ${outcome.remedy}\n`;
  }
}

/** For programs: one object a line, with `outcome`, `kind`, `name` and what else there is to say. */
export const outcomeJsonLine = ({ kind, name }: NamedThing, { kind: outcome, ...details }: TopologyOutcome): string =>
  `${JSON.stringify({ outcome, kind, name, ...details })}\n`;

/** `skipped`: not looked at, since the broker cannot be spoken to. */
export type StepOutcome = TopologyOutcome['kind'] | 'failed' | 'skipped';

const words: Readonly<Record<TopologyOutcome['kind'], string>> = {
  created: 'created',
  'would-create': 'would create',
  exists: 'exists',
  differs: 'differs',
  missing: 'missing',
};

const counted: readonly (readonly [kind: StepOutcome, one: string, many: string])[] = [
  ['created', 'created', 'created'],
  ['would-create', 'would be created', 'would be created'],
  ['exists', 'exists', 'exist'],
  ['differs', 'differs', 'differ'],
  ['missing', 'missing', 'missing'],
  ['failed', 'failed', 'failed'],
  ['skipped', 'not looked at', 'not looked at'],
];

/** `2 created, 1 exists` */
export const outcomeSummary = (outcomes: readonly StepOutcome[]): string =>
  counted
    .map(([kind, one, many]) => ({ count: outcomes.filter((each) => each === kind).length, one, many }))
    .filter(({ count }) => count > 0)
    .map(({ count, one, many }) => `${count} ${count === 1 ? one : many}`)
    .join(', ');
