import { z } from 'zod';
import { secureUrl } from '../secure-url.ts';
import { choiceFields, millisecondsMax } from '../settings-fields.ts';
import { introspectionSettings } from './introspection-settings.ts';
import { readPem } from './key-document.ts';

/** Bytes of a secret, as RFC 7518 section 3.2 wants them: as many as the hash has. */
const secretBytesMin = { HS256: 32, HS384: 48, HS512: 64 } as const;

const publicKeyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;
const algorithmName = z.enum([...publicKeyAlgorithms, ...secretAlgorithms]);
export type TokenAlgorithm = z.infer<typeof algorithmName>;

const isSecretAlgorithm = (name: TokenAlgorithm): name is keyof typeof secretBytesMin => name in secretBytesMin;

const pemText = z.string().superRefine((text, context) => {
  const keys = readPem(text);
  if (!keys.ok) context.addIssue({ code: 'custom', message: keys.reason });
});

const claimName = z.string().min(1);

const variableSettings = z.union([
  z
    .array(claimName)
    .min(1)
    .describe('Claims; the first that is there counts. Each is one name, dots and slashes included.'),
  z
    .strictObject({
      sha256: z
        .array(z.string().min(1))
        .min(1)
        .describe('Variables before this one, else claims, whose texts are put together without anything between.'),
    })
    .describe('Derived: SHA-256 as lower-case hexadecimal text. Absent when a part is.'),
]);

const permissionSettings = z.union([
  z.strictObject({
    rolesClaim: claimName.describe('Claim with role ids, which `identity.roles` turns into permissions.'),
  }),
  z.strictObject({
    claim: claimName.describe('Claim with permissions or scopes: a list, or text with spaces or commas.'),
  }),
  z.strictObject({ static: z.array(z.string().min(1)).describe('Permissions of every token of this kind.') }),
  z.strictObject({
    map: z
      .strictObject({
        claim: claimName.describe('Claim whose value counts, or each of whose values, exactly as it is.'),
        roles: z
          .record(z.string().min(1), z.array(z.string().min(1)))
          .default({})
          .describe('Role ids by value of the claim, which `identity.roles` turns into permissions.'),
      })
      .describe('Roles that the config gives, by client id, group or whatever else a claim names.'),
  }),
]);

export const keySourceNames = ['jwks', 'x509', 'pem', 'pemFile', 'secret', 'introspection', 'development'] as const;

export const tokenSettings = z
  .strictObject({
    ...choiceFields,
    issuers: z
      .array(z.string().min(1))
      .default([])
      .describe('Accepted `iss`. A kind without issuers takes the tokens that no other accepted kind names.'),
    audiences: z
      .array(z.string().min(1))
      .default([])
      .describe('Accepted `aud`: one for each issuer in the same order, or one for all; none: not looked at.'),
    algorithms: z
      .array(algorithmName)
      .min(1)
      .optional()
      .describe(
        'Accepted signatures; RS256 unless named (`development`: ES256). HS… must be named and needs `secret`.',
      ),
    jwks: secureUrl.optional().describe('URL of the issuer’s JWKS (RFC 7517).'),
    x509: secureUrl.optional().describe('URL of an object of PEM certificates by key id.'),
    pem: pemText.optional().describe('Public keys or certificates in PEM.'),
    pemFile: z.string().min(1).optional().describe('File with public keys or certificates in PEM; read at the start.'),
    secret: z.string().optional().describe('Shared secret of HS… algorithms: at least 32, 48 or 64 bytes.'),
    introspection: introspectionSettings
      .optional()
      .describe(
        'Tokens of any form, which their issuer is asked about (RFC 7662). A kind for those that no other accepted kind ' +
          'is for: JWTs of a known issuer are never asked about.',
      ),
    development: z
      .literal(true)
      .optional()
      .describe('Keys of the built-in development issuer, which exists only with `development` at the top.'),
    clockToleranceMs: millisecondsMax(600_000)
      .default(5000)
      .describe('How far the clocks of issuer and gateway may be apart (ms).'),
    cacheMsMax: millisecondsMax(86_400_000)
      .min(1000)
      .default(600_000)
      .describe('How often the issuer’s keys are fetched anew (ms).'),
    keysGraceMs: millisecondsMax(604_800_000)
      .default(3_600_000)
      .describe('How long, after that, the keys still count while the issuer cannot be reached (ms).'),
    cooldownMs: millisecondsMax(3_600_000)
      .min(100)
      .default(10_000)
      .describe(
        'The least time between two fetches because of an unknown key id, and the most between two retries (ms). ' +
          'A token of an unknown key that comes in between is told to come back.',
      ),
    timeoutMs: millisecondsMax(60_000).min(1).default(5000).describe('Time limit of one fetch of keys (ms).'),
    requireExpiry: z.boolean().default(true).describe('Whether a token without `exp` is refused.'),
    variables: z
      .record(z.string().min(1), variableSettings)
      .default({})
      .describe(
        'Variables from claims, at the top level or else below `ext`. Numbers become text as they are written.',
      ),
    requiredVariables: z
      .array(z.string().min(1))
      .default([])
      .describe('Variables without which a token is refused (`token_claims_invalid`).'),
    permissions: z.array(permissionSettings).default([]).describe('Where permissions come from; all are united.'),
  })
  .superRefine((kind, context) => {
    for (const { path, message } of tokenProblems(kind)) context.addIssue({ code: 'custom', path, message });
  });
export type TokenSettings = z.infer<typeof tokenSettings>;

/** What is accepted when nothing is named. */
export const algorithmsOf = (kind: Pick<TokenSettings, 'algorithms' | 'development'>): readonly TokenAlgorithm[] =>
  kind.algorithms ?? [kind.development ? 'ES256' : 'RS256'];

type Problem = { readonly path: (string | number)[]; readonly message: string };

function tokenProblems(kind: TokenSettings): Problem[] {
  return [...keyProblems(kind), ...pairingProblems(kind), ...variableProblems(kind)];
}

function keyProblems(kind: TokenSettings): Problem[] {
  const given = keySourceNames.filter((name) => kind[name] !== undefined);
  if (given.length !== 1) {
    const stated = given.length === 0 ? 'none is given' : `given are ${given.join(' and ')}`;
    return [{ path: [], message: `needs exactly one of ${keySourceNames.join(', ')}; ${stated}` }];
  }
  if (kind.development) return developmentProblems(kind);
  if (kind.introspection) return introspectionProblems(kind);
  const algorithms = algorithmsOf(kind);
  if (kind.secret === undefined) {
    const secretOnes = algorithms.filter(isSecretAlgorithm);
    return secretOnes.length === 0
      ? []
      : [{ path: ['algorithms'], message: `${secretOnes.join(', ')} needs \`secret\`, never public keys` }];
  }
  const { secret } = kind;
  return algorithms.flatMap((name): Problem[] => {
    if (!isSecretAlgorithm(name)) {
      return [
        { path: ['algorithms'], message: `${name} cannot be checked with \`secret\`; name HS256, HS384 or HS512` },
      ];
    }
    const bytesMin = secretBytesMin[name];
    if (Buffer.byteLength(secret) >= bytesMin) return [];
    return [{ path: ['secret'], message: `must have at least ${bytesMin} bytes for ${name}` }];
  });
}

/** Its issuer looks at signatures. */
const introspectionProblems = ({ algorithms }: TokenSettings): Problem[] =>
  algorithms === undefined ? [] : [{ path: ['algorithms'], message: 'is not for introspection; leave it out' }];

function developmentProblems(kind: TokenSettings): Problem[] {
  const fixed = (['issuers', 'audiences'] as const).filter((name) => kind[name].length > 0);
  const named = kind.algorithms === undefined ? fixed : [...fixed, 'algorithms'];
  return named.map((name) => ({ path: [name], message: 'is fixed by `development: true`; leave it out' }));
}

function pairingProblems({ issuers, audiences }: TokenSettings): Problem[] {
  if (issuers.length === 0 || audiences.length <= 1 || audiences.length === issuers.length) return [];
  const message = `must be one for all issuers, or one for each: there are ${issuers.length} issuers`;
  return [{ path: ['audiences'], message }];
}

function variableProblems({ variables, requiredVariables }: TokenSettings): Problem[] {
  return requiredVariables.flatMap((name, index) =>
    Object.hasOwn(variables, name)
      ? []
      : [{ path: ['requiredVariables', index], message: `"${name}" is not among \`variables\`` }],
  );
}
