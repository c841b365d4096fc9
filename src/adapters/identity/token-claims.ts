import { createHash } from 'node:crypto';
import { splitList, type Variables, type VariableValue } from '../../domain/variables.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import type { TokenSettings } from './token-settings.ts';

const decoder = new TextDecoder();

export type Claims = Readonly<Record<string, unknown>>;

/** Text of claims up to this is never nested as deep as could be too deep (bytes). */
const shallowBytesMax = 2048;

/**
 * The claims with the numbers as they were written, where one of those that the settings read has any; mostly none has,
 * and the claims are not read a second time.
 *
 * @param text that they were read from. It has been verified.
 */
export function claimsAsWritten(
  { variables, permissions }: Pick<TokenSettings, 'variables' | 'permissions'>,
  claims: Claims,
  text: Uint8Array,
): Verdict<Claims> {
  if (text.length > shallowBytesMax) return claimsWithNumbersAsText(text);
  const read = [
    ...Object.values(variables).flatMap((source) => (Array.isArray(source) ? source : source.sha256)),
    ...permissions.flatMap(claimRead),
  ];
  return read.some((name) => hasNumber(claims, name)) ? claimsWithNumbersAsText(text) : allowed(claims);
}

function claimRead(source: PermissionSettings): readonly string[] {
  if ('rolesClaim' in source) return [source.rolesClaim];
  if ('map' in source) return [source.map.claim];
  return 'claim' in source ? [source.claim] : [];
}

function hasNumber(claims: Claims, name: string): boolean {
  const { ext } = claims;
  const places = typeof ext === 'object' && ext !== null ? [claims[name], (ext as Claims)[name]] : [claims[name]];
  return places.some((value) =>
    Array.isArray(value) ? value.some((each) => typeof each === 'number') : typeof value === 'number',
  );
}

/**
 * The claims again, with every number as the text that the issuer wrote: `12345678901234567890` and `1.0` would not
 * survive being numbers. Refused when they are nested some thousand levels deep.
 *
 * @param payload of a token that has been verified: a JSON object in UTF-8.
 */
export function claimsWithNumbersAsText(payload: Uint8Array): Verdict<Claims> {
  const reviver = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value;
  try {
    return allowed(JSON.parse(decoder.decode(payload), reviver));
  } catch {
    return refused('the claims are nested too deep');
  }
}

/** Variables of a token, in the order of the settings. What is absent, empty or an object yields none. */
export function tokenVariables(settings: TokenSettings['variables'], claims: Claims): Variables {
  const variables = new Map<string, VariableValue>();
  for (const [name, source] of Object.entries(settings)) {
    const value = Array.isArray(source) ? firstClaim(source, claims) : sha256(source.sha256, variables, claims);
    if (value !== undefined) variables.set(name, value);
  }
  return variables;
}

/** Roles as the token names them, and the permissions that its claims, those roles and the config give it. */
export function tokenPermissions(
  settings: TokenSettings['permissions'],
  permissionsByRole: ReadonlyMap<string, readonly string[]>,
  claims: Claims,
): { readonly roles: readonly string[]; readonly permissions: readonly string[] } {
  const roles = new Set(settings.flatMap((source) => rolesBy(source, claims)));
  const permissions = new Set(settings.flatMap((source) => permissionsBy(source, claims)));
  for (const role of roles) for (const permission of permissionsByRole.get(role) ?? []) permissions.add(permission);
  return { roles: [...roles], permissions: [...permissions] };
}

type PermissionSettings = TokenSettings['permissions'][number];

function rolesBy(source: PermissionSettings, claims: Claims): readonly string[] {
  if ('rolesClaim' in source) return names(claims, source.rolesClaim);
  return 'map' in source ? mappedRoles(source.map, claims) : [];
}

function permissionsBy(source: PermissionSettings, claims: Claims): readonly string[] {
  if ('static' in source) return source.static;
  return 'claim' in source ? names(claims, source.claim) : [];
}

function firstClaim(alternatives: readonly string[], claims: Claims): VariableValue | undefined {
  for (const name of alternatives) {
    const value = claim(claims, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** At the top level, or else below `ext`, where Ory Hydra puts what it was told to add. */
function claim(claims: Claims, name: string): VariableValue | undefined {
  const value = own(claims, name);
  if (value !== undefined) return value;
  const ext = Object.hasOwn(claims, 'ext') ? claims['ext'] : undefined;
  return typeof ext === 'object' && ext !== null && !Array.isArray(ext) ? own(ext as Claims, name) : undefined;
}

function own(claims: Claims, name: string): VariableValue | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (!Array.isArray(value)) return scalarText(value);
  // A list with anything else in it is no list of names, and half of it would be a guess.
  if (!value.every(isScalar)) return undefined;
  const texts = value.map(String).filter((text) => text !== '');
  return texts.length > 0 ? texts : undefined;
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const scalarText = (value: unknown): string | undefined =>
  isScalar(value) && value !== '' ? String(value) : undefined;

function sha256(parts: readonly string[], variables: Variables, claims: Claims): string | undefined {
  const hash = createHash('sha256');
  for (const part of parts) {
    const value = variables.get(part) ?? claim(claims, part);
    if (typeof value !== 'string') return undefined;
    hash.update(value, 'utf8');
  }
  return hash.digest('hex');
}

type RoleMap = Extract<PermissionSettings, { readonly map: unknown }>['map'];

/** Values of such claims are names that others have chosen: spaces and commas are part of them. */
function mappedRoles({ claim: name, roles }: RoleMap, claims: Claims): readonly string[] {
  const values = [claim(claims, name) ?? []].flat();
  return values.flatMap((value) => (Object.hasOwn(roles, value) ? (roles[value] ?? []) : []));
}

/** Scopes stand in a list or in text between spaces (RFC 8693 section 4.2), role ids often between commas. */
function names(claims: Claims, name: string): readonly string[] {
  const value = claim(claims, name);
  if (value === undefined) return [];
  return typeof value === 'string' ? splitList(value.replaceAll(/\s+/g, ','), ',') : value;
}
