import { Fault } from '../../src/application/fault.ts';
import type { AccessCheck, CheckQuestion, PermissionSource } from '../../src/application/ports/access-check.ts';
import type { Presented } from '../../src/application/ports/admission.ts';
import type { IdentityVerifier } from '../../src/application/ports/identity-verifier.ts';
import type { DenialCode } from '../../src/domain/denial.ts';
import type { Credential } from '../../src/domain/principal.ts';
import { allowed, refused } from '../../src/domain/verdict.ts';

/** What a client gives, by place. */
export const presentedOf = (given: Readonly<Record<string, string | readonly string[]>>): Presented => ({
  read(place) {
    const value = given[place] ?? given[place.replace(/\[\]$/, '')] ?? [];
    return typeof value === 'string' ? [value] : value;
  },
});

export const awayFault = (): Fault => new Fault('test_away', 'retry', 'the key server does not answer');

type VerifierCall = { readonly token: string; readonly kinds: readonly string[]; readonly signal: AbortSignal };

/** Knows these tokens; what is a code is refused with it. `away` makes it throw instead. */
export function fakeVerifier(tokens: Readonly<Record<string, Credential | DenialCode>>): IdentityVerifier & {
  readonly calls: readonly VerifierCall[];
  away: boolean;
} {
  const calls: VerifierCall[] = [];
  return {
    calls,
    away: false,
    async verify(token, kinds, signal) {
      calls.push({ token, kinds, signal });
      if (this.away) throw awayFault();
      const known = tokens[token] ?? 'token_malformed';
      if (typeof known === 'string') return refused({ code: known, reason: `refused with ${known}` });
      if (kinds.includes(known.name)) return allowed(known);
      return refused({ code: 'token_issuer_unknown', reason: `a token of the kind ${known.name} is not accepted` });
    },
  };
}

type Answers<T> = { readonly questions: readonly CheckQuestion[]; answer: T | 'away' };

export function fakeCheck(name: string, answer: boolean | 'away'): AccessCheck & Answers<boolean> {
  const questions: CheckQuestion[] = [];
  return {
    name,
    questions,
    answer,
    async check(question) {
      questions.push(question);
      if (this.answer === 'away') throw awayFault();
      return this.answer;
    },
  };
}

export function fakePermissions(
  credential: string,
  answer: readonly string[] | 'away',
): PermissionSource & Answers<readonly string[]> {
  const questions: CheckQuestion[] = [];
  return {
    credential,
    questions,
    answer,
    async permissions(question) {
      questions.push(question);
      if (this.answer === 'away') throw awayFault();
      return this.answer;
    },
  };
}
