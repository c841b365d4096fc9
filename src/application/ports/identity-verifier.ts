import type { Denial } from '../../domain/denial.ts';
import type { Credential } from '../../domain/principal.ts';
import type { Verdict } from '../../domain/verdict.ts';

export interface IdentityVerifier {
  /**
   * A bad token is a refused verdict. An issuer whose keys cannot be had rejects with a `Fault` of the disposition
   * `retry`, so that the client is told to come back instead of being turned away.
   *
   * @param token the bare token, without a scheme.
   * @param kinds names of the kinds of token that are accepted here; told apart by issuer.
   */
  verify(token: string, kinds: readonly string[], signal: AbortSignal): Promise<Verdict<Credential, Denial>>;
}
