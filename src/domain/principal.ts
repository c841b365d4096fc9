import type { Variables, VariableValue } from './variables.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

/** One verified token, under the name that the config gives its kind (`ocms`, `iam`). */
export type Credential = {
  readonly name: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly variables: Variables;
  /** Until when its token is taken, clock tolerance included, in milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
};

/** Who is connected: what all its credentials say together. */
export type Principal = {
  /** The first one's claims and permissions are what unqualified names in conditions mean. */
  readonly credentials: readonly Credential[];
  readonly variables: Variables;
  /** The earliest of the credentials, in milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
};

/** Nobody in particular: no credential, no variable. */
export const anonymous: Principal = { credentials: [], variables: new Map() };

/** Unites credentials. Refused when two of them give one variable different values, or have one name. */
export function createPrincipal(credentials: readonly Credential[]): Verdict<Principal> {
  const [only] = credentials;
  // Nearly always, and it is kept for each connection.
  if (only && credentials.length === 1) {
    return allowed({ credentials: [only], variables: only.variables, expiresAt: only.expiresAt });
  }
  const variables = new Map<string, VariableValue>();
  const givenBy = new Map<string, string>();
  const names = new Set<string>();
  let expiresAt: number | undefined;
  for (const credential of credentials) {
    if (names.has(credential.name)) return refused(`two tokens of the kind "${credential.name}" were presented`);
    names.add(credential.name);
    for (const [name, value] of credential.variables) {
      const present = variables.get(name);
      if (present !== undefined && !equal(present, value)) {
        return refused(`the tokens "${givenBy.get(name)}" and "${credential.name}" disagree about "${name}"`);
      }
      variables.set(name, value);
      givenBy.set(name, credential.name);
    }
    if (credential.expiresAt !== undefined) expiresAt = Math.min(expiresAt ?? Infinity, credential.expiresAt);
  }
  return allowed({ credentials, variables, expiresAt });
}

const equal = (a: VariableValue, b: VariableValue): boolean => JSON.stringify(a) === JSON.stringify(b);
