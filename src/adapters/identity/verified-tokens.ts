import { hash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Denial } from '../../domain/denial.ts';
import type { Credential } from '../../domain/principal.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { KeysGeneration } from './token-keys.ts';

/** The kind of a token, as far as it decides how long an answer about one counts. */
export type TokenKindRules = {
  readonly name: string;
  readonly clockToleranceMs: number;
  /** Which keys count now; `undefined` when that has to be found out first. */
  readonly generation: () => KeysGeneration | undefined;
};

type Remembered = {
  readonly credential: Credential;
  readonly kind: TokenKindRules;
  readonly generation: KeysGeneration;
};
/** The key holds nothing of the token but a hash. */
export type PresentedToken = { readonly key: string; readonly size: number };
type Answer = Verdict<Credential, Denial>;
type Pending = {
  readonly answer: Promise<Answer>;
  readonly second: number;
  readonly generation: KeysGeneration | undefined;
};

/** What a token has on average, when there are as many as may be; of longer ones there are fewer. */
export const tokenLengthMean = 2048;

/**
 * Tokens that held, under a hash of each, so that clients who come back all at once are not all verified again. What is
 * in a token and in the config is decided once. Whether its time has come or gone and whether the issuer's keys are those
 * that it was verified with is looked at for every use; where not, it is verified like one that was never seen. What was
 * refused is not remembered: whoever sends garbage moves nobody out.
 */
export class VerifiedTokens {
  readonly #remembered: LRUCache<string, Remembered> | undefined;
  readonly #pending = new Map<string, Pending>();

  /** @param tokensMax 0: none is remembered. */
  constructor(tokensMax: number) {
    if (tokensMax > 0) this.#remembered = new LRUCache({ max: tokensMax, maxSize: tokensMax * tokenLengthMean });
  }

  /** What a token says that need not be verified again. */
  recall({ key }: PresentedToken, now: number): Remembered | undefined {
    const remembered = this.#remembered?.get(key);
    return remembered && isCurrent(remembered, now) ? remembered : undefined;
  }

  /**
   * Verifies a token and remembers it if it holds. Whoever asks the same within the same second, which is as exact as the
   * claims are, while the same keys count, gets the same answer.
   */
  verify(
    { key, size }: PresentedToken,
    kind: TokenKindRules,
    now: number,
    verify: () => Promise<Answer>,
  ): Promise<Answer> {
    const second = secondOf(now);
    const generation = kind.generation();
    const running = this.#pending.get(key);
    if (running && running.second === second && running.generation === generation) return running.answer;
    const begun = async (): Promise<Answer> => {
      const answer = await verify();
      // If other keys have come in between, it is remembered in vain: better than as verified with what it was not.
      if (answer.ok && generation !== undefined) {
        this.#remembered?.set(key, { credential: answer.value, kind, generation }, { size });
      }
      return answer;
    };
    const answer = begun().finally(() => {
      if (this.#pending.get(key)?.answer === answer) this.#pending.delete(key);
    });
    this.#pending.set(key, { answer, second, generation });
    return answer;
  }
}

/** A token where it is presented. Which kinds are accepted there decides, with its issuer, which one it is of. */
export const presentedToken = (token: string, accepted: readonly string[]): PresentedToken => ({
  key: `${hash('sha256', token, 'base64url')} ${accepted.join(' ')}`,
  size: token.length,
});

const secondOf = (now: number): number => Math.floor(now / 1000);

/** The bounds are those of jose, in whole seconds of ours. */
function isCurrent({ credential, kind, generation }: Remembered, now: number): boolean {
  const { exp, nbf }: JWTPayload = credential.claims;
  const second = secondOf(now);
  const tolerance = kind.clockToleranceMs / 1000;
  if (exp !== undefined && exp <= second - tolerance) return false;
  if (nbf !== undefined && nbf > second + tolerance) return false;
  return kind.generation() === generation;
}
