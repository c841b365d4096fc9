import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { type KeyServer, startKeyServer, type TestKey, testKey } from './key-server.ts';

export const ocmsIssuer = 'https://auth.retailsvc.com/';
export const staffIssuer = 'https://securetoken.google.com/hiidentity-staff';
export const shoppersIssuer = 'https://securetoken.google.com/hiidentity-shoppers';

/** Claims of a token; one that is `undefined` is left out. */
export type Claims = Readonly<Record<string, unknown>>;

/** Mints what the real issuer would; `claims` and `header` stand above it. */
export type Mint = (claims?: Claims, header?: Readonly<Record<string, unknown>>) => Promise<string>;

/** Hii Retail's two issuers with their own key servers (hiiretail section 3). */
export type HiiretailIssuers = AsyncDisposable & {
  readonly ocms: { readonly key: TestKey; readonly server: KeyServer; readonly mint: Mint };
  readonly iam: { readonly key: TestKey; readonly server: KeyServer; readonly mint: Mint };
  /** Every token that was minted here. */
  readonly minted: ReadonlySet<string>;
};

const nowS = (): number => Math.floor(Date.now() / 1000);

/** Section 3.2: of a machine, with the role that lets it in. */
function ocmsClaims(): Claims {
  const clientId = Buffer.from('tid: t1\nbuid: u1\n').toString('base64url');
  const now = nowS();
  return {
    iss: ocmsIssuer,
    sub: clientId,
    client_id: clientId,
    aud: ['https://hiiretail.com'],
    jti: randomUUID(),
    scp: [],
    iat: now,
    nbf: now,
    exp: now + 3600,
    tid: 't1',
    roles: ['sio.websocket-client'],
  };
}

/** Section 3.1: of a person, with no role at all. */
function iamClaims(given: Claims): Claims {
  const now = nowS();
  const sub = typeof given['sub'] === 'string' ? given['sub'] : 'ann';
  return {
    name: `Name of ${sub}`,
    picture: `https://example.com/${sub}.png`,
    'https://extendaretail.com/tenant': 't1',
    'https://extendaretail.com/groups': ['cashiers'],
    iss: staffIssuer,
    aud: 'hiidentity-staff',
    auth_time: now,
    user_id: sub,
    sub,
    iat: now,
    exp: now + 3600,
    email: `${sub}@example.com`,
    email_verified: true,
    firebase: { identities: { email: [`${sub}@example.com`] }, sign_in_provider: 'password', tenant: 'staff-x1' },
    federated: { roles: ['sio.websocket-client'], operatorIds: ['7'], groups: ['cashiers'] },
  };
}

export async function startHiiretailIssuers(): Promise<HiiretailIssuers> {
  const minted = new Set<string>();
  const keys = await Promise.all([testKey(`public:${randomUUID()}`), testKey(randomUUID().replaceAll('-', ''))]);
  const servers = await Promise.all(keys.map((key) => startKeyServer(key)));
  const [ocms, iam] = servers;
  if (!ocms || !iam) throw new Error('two keys make two servers');
  const mint =
    (key: TestKey, usual: (claims: Claims) => Claims): Mint =>
    async (claims = {}, header = {}) => {
      const token = await key.sign({ ...usual(claims), ...claims } as JWTPayload, { typ: 'JWT', ...header });
      minted.add(token);
      return token;
    };
  return {
    ocms: { key: keys[0], server: ocms, mint: mint(keys[0], ocmsClaims) },
    iam: { key: keys[1], server: iam, mint: mint(keys[1], iamClaims) },
    minted,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
