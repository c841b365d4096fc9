import type { Denial } from '../domain/denial.ts';
import { anonymous, type Credential, createPrincipal, type Principal } from '../domain/principal.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import type { PermissionSource } from './ports/access-check.ts';
import type { Presented } from './ports/admission.ts';
import type { IdentityVerifier } from './ports/identity-verifier.ts';
import { presentTexts } from './present-texts.ts';

/** One token that a client presents, and where. */
export type CredentialRule = {
  /** A place of `Presented`, such as `auth.token`; of several, the first where something is. */
  readonly from: string | readonly string[];
  /** Kinds of token that may stand there. */
  readonly accepts: readonly string[];
  readonly optional: boolean;
  /** Read only after a credential of this kind; else what stands there is ignored. */
  readonly with?: string | undefined;
  /** Its roles and permissions do not count, and nobody is asked for them. */
  readonly identityOnly?: boolean | undefined;
};

export type Authentication = {
  readonly principal: Principal;
  /** The verified tokens by credential name, for checks that relay them. */
  readonly tokens: ReadonlyMap<string, string>;
};

export type AuthenticationDependencies = {
  readonly rules: readonly CredentialRule[];
  readonly verifier: IdentityVerifier;
  readonly permissionSources: readonly PermissionSource[];
};

/** Who presents this? Rejects with a `Fault` when there is no telling now. */
export async function authenticate(
  presented: Presented,
  { rules, verifier, permissionSources }: AuthenticationDependencies,
  signal: AbortSignal,
): Promise<Verdict<Authentication, Denial>> {
  const credentials: Credential[] = [];
  const tokens = new Map<string, string>();
  for (const rule of rules) {
    if (rule.with !== undefined && !credentials.some((credential) => credential.name === rule.with)) continue;
    const token = readToken(presented, rule);
    if (!token.ok) return token;
    if (token.value === undefined) continue;
    const verified = await verifier.verify(token.value, rule.accepts, signal);
    if (!verified.ok) return verified;
    credentials.push(
      rule.identityOnly
        ? { ...verified.value, roles: [], permissions: [] }
        : await withMorePermissions(verified.value, token.value, permissionSources, signal),
    );
    tokens.set(verified.value.name, token.value);
  }
  if (credentials.length === 0) return allowed({ principal: anonymous, tokens });
  const principal = createPrincipal(credentials);
  if (!principal.ok) return refused({ code: 'credentials_conflict', reason: principal.reason });
  return allowed({ principal: principal.value, tokens });
}

/**
 * The first place with a token counts, whatever stands at the others. An `Authorization` of another scheme than Bearer,
 * such as a proxy's, is passed over where there is something else.
 */
function readToken(presented: Presented, { from, optional }: CredentialRule): Verdict<string | undefined, Denial> {
  const places = [from].flat();
  let otherScheme = false;
  for (const place of places) {
    const [text, another] = presentTexts(presented, place);
    if (another !== undefined) return refused({ code: 'token_malformed', reason: `${place} was given more than once` });
    if (text === undefined) continue;
    if (place !== 'header.authorization') return allowed(text);
    // RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1).
    const bearer = /^bearer +(\S+)$/i.exec(text)?.[1];
    if (bearer !== undefined) return allowed(bearer);
    otherScheme = true;
  }
  if (otherScheme)
    return refused({ code: 'token_malformed', reason: 'the Authorization header is not "Bearer TOKEN"' });
  if (optional) return allowed(undefined);
  return refused({ code: 'token_missing', reason: `there is no token at ${places.join(' or ')}` });
}

async function withMorePermissions(
  credential: Credential,
  token: string,
  sources: readonly PermissionSource[],
  signal: AbortSignal,
): Promise<Credential> {
  const relevant = sources.filter((source) => source.credential === credential.name);
  if (relevant.length === 0) return credential;
  const tokens = new Map([[credential.name, token]]);
  const question = { variables: credential.variables, tokens, expiresAt: credential.expiresAt };
  const answers = await Promise.all(relevant.map((source) => source.permissions(question, signal)));
  return { ...credential, permissions: [...new Set([...credential.permissions, ...answers.flat()])] };
}
