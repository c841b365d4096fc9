import type { BindRefusal } from '../../../application/ports/event-source.ts';
import type { Verdict } from '../../../domain/verdict.ts';
import type { BindingTarget } from './binding-target.ts';

/** A stream and a pattern that are bound for somebody, or about to be. */
export type Pair = {
  readonly name: string;
  readonly stream: string;
  readonly pattern: string;
  /** None: it is to go. */
  holders: number;
  /** The broker has it, on the queue of now. */
  isBound: boolean;
  /** It is asked for once more though the broker has it, for all that is known here. */
  isRenewed: boolean;
  /** Where a change of it is under way. */
  changing: BindingTarget | undefined;
  /** It has been there once, so that its holders count on it. */
  isEstablished: boolean;
  /** It is never released. */
  forGood: Patience | undefined;
  /** Of the next change that makes the broker have it. */
  outcome: PromiseWithResolvers<Verdict<true, BindRefusal>>;
};

/** What is waited for: nothing, an exchange that is not there, or whatever the broker refuses. */
export type Patience = 'none' | 'missing' | 'refused';

export function nextOutcome(): Pair['outcome'] {
  const outcome: Pair['outcome'] = Promise.withResolvers();
  // Who waits has a promise of his own.
  outcome.promise.catch(() => {});
  return outcome;
}

export const pairName = (stream: string, pattern: string): string => `${stream.length}:${stream}${pattern}`;

/** Nobody holds it yet. */
export const newPair = (fields: Pick<Pair, 'name' | 'stream' | 'pattern'>): Pair => ({
  ...fields,
  holders: 0,
  isBound: false,
  isRenewed: false,
  changing: undefined,
  isEstablished: false,
  forGood: undefined,
  outcome: nextOutcome(),
});
