import type { JWTPayload, JWTVerifyOptions } from 'jose';
import { Fault } from '../../application/fault.ts';
import type { IdentityVerifier } from '../../application/ports/identity-verifier.ts';
import type { Denial } from '../../domain/denial.ts';
import type { Credential } from '../../domain/principal.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { untilAborted } from '../until-aborted.ts';
import { keysUnavailable, verificationFailed } from './identity-fault.ts';
import type { IdentitySettings } from './identity-settings.ts';
import { denied, introspectAs, type ReadClaims } from './introspect-as.ts';
import { joseDenial } from './jose-denial.ts';
import type { KeysState } from './remote-keys.ts';
import { developmentIssuerName } from './sign-token.ts';
import { claimsAsWritten, tokenPermissions, tokenVariables } from './token-claims.ts';
import { createTokenIntrospection, type TokenIntrospection } from './token-introspection.ts';
import { openTokenKeys, type TokenKeys, type TokenKeysDependencies } from './token-keys.ts';
import { algorithmsOf, type TokenSettings } from './token-settings.ts';
import { presentedToken, type TokenKindRules, VerifiedTokens } from './verified-tokens.ts';
import { verifyToken } from './verify-token.ts';

export type KeyedIdentityVerifier = IdentityVerifier & {
  /** Fetches what keys there are to fetch; resolves once all have been tried, never rejects. */
  warm(): Promise<void>;
  /** One for every kind of token whose keys are fetched. */
  keysStates(): readonly KeysState[];
  /** Ends the timers. */
  close(): void;
};

/** How tokens of a kind are looked at: with its keys, or by asking their issuer. */
type NamedKind = { readonly name: string; readonly settings: TokenSettings };
type TokenKind = NamedKind &
  TokenKindRules & {
    readonly issuers: readonly string[];
    readonly keys: TokenKeys;
    /** What is the same for every token of the kind. */
    readonly options: JWTVerifyOptions;
  };
type OpaqueKind = NamedKind & { readonly introspection: TokenIntrospection };

/**
 * Tokens are told apart by their `iss`, which is believed only once the token has been verified for that kind. Those that
 * have none, or whose issuer no accepted kind is for, may be of a kind that is asked about.
 * Throws a `Fault` of the disposition `stop` when keys that the settings name are not there.
 */
export function createIdentityVerifier(settings: IdentitySettings, deps: TokenKeysDependencies): KeyedIdentityVerifier {
  const { kinds, opaqueKinds } = openKinds(settings, deps);
  const permissionsByRole = new Map(Object.entries(settings.roles));
  const remotes = kinds.flatMap(({ keys }) => keys.remote ?? []);
  const verifiedTokens = new VerifiedTokens(settings.verifiedTokensMax);
  const observe = (issuer: string, outcome: 'checked' | 'remembered') =>
    deps.observer.observe({ kind: 'token-verified', issuer, outcome });
  return {
    async verify(token, accepted, signal) {
      const { tokenBytesMax } = settings;
      if (token.length > tokenBytesMax) {
        return denied('token_malformed', `the token has more than ${tokenBytesMax} bytes`);
      }
      const now = deps.clock.now();
      const presented = presentedToken(token, accepted);
      const remembered = verifiedTokens.recall(presented, now);
      if (remembered) {
        observe(remembered.kind.name, 'remembered');
        return allowed(remembered.credential);
      }
      const unverified = readUnverified(token);
      const kind = unverified.ok ? kindOf(unverified.value.issuer, kinds, accepted) : unverified;
      const opaqueKind = opaqueKinds.find(({ name }) => accepted.includes(name));
      if (!kind.ok && opaqueKind && opaqueForm.test(token)) {
        const introspected = await introspectAs(opaqueKind, token, now, signal);
        return introspected.ok ? credentialOf(opaqueKind, introspected.value, permissionsByRole) : introspected;
      }
      if (!unverified.ok) return unverified;
      if (!kind.ok) return kind;
      const { issuer, text } = unverified.value;
      const verified = verifiedTokens.verify(presented, kind.value, now, async () => {
        observe(kind.value.name, 'checked');
        const claims = await verifyAs(kind.value, token, issuer, now);
        if (!claims.ok) return claims;
        return credentialOf(kind.value, { claims: claims.value, text }, permissionsByRole);
      });
      // Where no key is fetched there is nothing to be waited for.
      if (!kind.value.keys.remote) return await verified;
      const giveUp = () => keysUnavailable(kind.value.name, 'its keys did not come in time');
      return await untilAborted(verified, signal, giveUp);
    },
    async warm() {
      await Promise.all(remotes.map((remote) => remote.warm()));
    },
    keysStates: () => remotes.map((remote) => remote.state),
    close() {
      for (const remote of remotes) remote.close();
    },
  };
}

function openKinds(settings: IdentitySettings, deps: TokenKeysDependencies) {
  const kinds: TokenKind[] = [];
  const opaqueKinds: OpaqueKind[] = [];
  for (const [name, kind] of Object.entries(settings.tokens)) {
    if (kind.introspection) {
      const introspection = createTokenIntrospection(name, kind.introspection, deps.clock);
      opaqueKinds.push({ name, settings: kind, introspection });
      continue;
    }
    const issuers = kind.development ? [developmentIssuerName] : kind.issuers;
    const keys = openTokenKeys(name, kind, deps);
    const { clockToleranceMs } = kind;
    const options = optionsOf(kind, issuers);
    kinds.push({ name, settings: kind, issuers, keys, options, clockToleranceMs, generation: keys.generation });
  }
  return { kinds, opaqueKinds };
}

/** Three parts in base64url (RFC 7515 section 7.1). The last is empty in an unsigned one, which is refused later. */
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** RFC 6749 appendix A.12. */
const opaqueForm = /^[\x21-\x7e]+$/;

/** What is said by a token that nobody has verified yet: its `iss`, where that is text, and all its claims as they came. */
type Unverified = { readonly issuer: string | undefined; readonly text: Uint8Array };

/** As jose reads claims: a byte order mark is passed over, and what is no UTF-8 is nothing. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function readUnverified(token: string): Verdict<Unverified, Denial> {
  if (!compactForm.test(token)) {
    return denied('token_malformed', 'this is no signed JWT (a bare one, without a scheme before it)');
  }
  const payload = token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'));
  const text = Buffer.from(payload, 'base64url');
  try {
    // One character more than whole bytes need, which `Buffer` drops, is no base64url.
    const claims: unknown = payload.length % 4 === 1 ? undefined : JSON.parse(strictUtf8.decode(text));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      const issuer = 'iss' in claims && typeof claims.iss === 'string' ? claims.iss : undefined;
      return allowed({ issuer, text });
    }
  } catch {
    // Told below.
  }
  return denied('token_malformed', 'the token holds no JSON object of claims');
}

/** The first accepted kind that names the issuer, else the first that names none at all. */
function kindOf(
  issuer: string | undefined,
  kinds: readonly TokenKind[],
  accepted: readonly string[],
): Verdict<TokenKind, Denial> {
  const candidates = accepted.flatMap((name) => kinds.find((kind) => kind.name === name) ?? []);
  const kind =
    candidates.find(({ issuers }) => issuer !== undefined && issuers.includes(issuer)) ??
    candidates.find(({ issuers }) => issuers.length === 0);
  if (kind) return allowed(kind);
  const told = issuer === undefined ? 'names no issuer' : `is of the issuer ${JSON.stringify(issuer.slice(0, 200))}`;
  return denied('token_issuer_unknown', `the token ${told}; accepted here: ${accepted.join(', ') || 'none'}`);
}

async function verifyAs(
  { name, settings, keys, options }: TokenKind,
  token: string,
  issuer: string | undefined,
  now: number,
): Promise<Verdict<JWTPayload, Denial>> {
  const audiences = audiencesFor(settings, issuer);
  const audience = audiences.length > 0 ? { audience: [...audiences] } : {};
  try {
    return allowed(await verifyToken(token, keys, { ...options, ...audience, currentDate: new Date(now) }));
  } catch (error) {
    if (error instanceof Fault) throw error;
    const denial = joseDenial(error);
    if (denial) return refused(denial);
    throw verificationFailed(name, error);
  }
}

const optionsOf = (settings: TokenSettings, issuers: readonly string[]): JWTVerifyOptions => ({
  algorithms: [...algorithmsOf(settings)],
  ...(issuers.length > 0 ? { issuer: [...issuers] } : {}),
  requiredClaims: settings.requireExpiry ? ['exp'] : [],
  clockTolerance: settings.clockToleranceMs / 1000,
});

/** The audiences that stand where the issuer stands; one alone is for all. */
function audiencesFor({ issuers, audiences }: TokenSettings, issuer: string | undefined): readonly string[] {
  if (audiences.length <= 1 || issuers.length === 0) return audiences;
  return audiences.filter((_, index) => issuers[index] === issuer);
}

function credentialOf(
  { name, settings }: NamedKind,
  { claims, text }: ReadClaims,
  permissionsByRole: ReadonlyMap<string, readonly string[]>,
): Verdict<Credential, Denial> {
  if (claims.exp === Infinity) return denied('token_claims_invalid', 'the claim "exp" is no point in time');
  const texts = claimsAsWritten(settings, claims, text);
  if (!texts.ok) return denied('token_claims_invalid', texts.reason);
  const variables = tokenVariables(settings.variables, texts.value);
  const missing = settings.requiredVariables.find((required) => !variables.has(required));
  if (missing !== undefined) {
    return denied('token_claims_invalid', `the token has no claim for the variable "${missing}"`);
  }
  return allowed({
    name,
    claims,
    ...tokenPermissions(settings.permissions, permissionsByRole, texts.value),
    variables,
    // As long as it would be taken: a connection that ends sooner would come back with the same token at once.
    expiresAt: claims.exp === undefined ? undefined : claims.exp * 1000 + settings.clockToleranceMs,
  });
}
