import type { Denial } from '../../domain/denial.ts';
import type { Presented } from './admission.ts';

/** Who asks for something of his own. */
export type Caller = {
  readonly userId: string;
  /** May see what is others'. */
  readonly isAdmin: boolean;
};

export type Identified =
  | { readonly kind: 'known'; readonly caller: Caller }
  | { readonly kind: 'denied'; readonly denial: Denial }
  /** There is no telling now. The delay has jitter in it already. */
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

/** Observes what it decides. Never rejects. */
export interface CallerIdentification {
  identify(presented: Presented, signal: AbortSignal): Promise<Identified>;
}
