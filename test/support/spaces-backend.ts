import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stopServer } from './stop-server.ts';

export type Asked = { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string };

/** Avaya's own services in small: keys, introspection, and who may join what. */
export type SpacesBackend = AsyncDisposable & {
  readonly url: string;
  readonly asked: Asked[];
  /** What is said of who may join: the status by the space and the caller's header. Everybody may, by default. */
  membership: (space: string, asked: Asked) => number;
  /** Opaque tokens with what is said of them. */
  readonly opaque: Map<string, Readonly<Record<string, unknown>>>;
  /** A registered user’s token (avaya-spaces section 1). */
  user(id: string, claims?: object): string;
  /** An anonymous user’s. */
  guest(id: string, claims?: object): string;
  readonly environment: Readonly<Record<string, string>>;
};

export const guestSecret = 'the secret of guests, which has 32 bytes or more';
export const backendSecret = 'the secret of back-ends, which has 32 bytes or more';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' };

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function hs256(secret: string, claims: object): string {
  const text = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function rs256(claims: object): string {
  const text = `${encode({ typ: 'JWT', alg: 'RS256', kid: 'k1' })}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

export async function spacesBackend(): Promise<SpacesBackend> {
  const asked: Asked[] = [];
  const opaque: SpacesBackend['opaque'] = new Map();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers } = request;
      const question = { url, headers, body: Buffer.concat(chunks).toString() };
      asked.push(question);
      const [status, body] = answer(question);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  function answer(question: Asked): readonly [status: number, body: unknown] {
    const space = /^\/spaces\/([^/]+)\/join$/.exec(question.url)?.[1];
    if (space !== undefined) return [backend.membership(decodeURIComponent(space), question), {}];
    if (question.url === '/jwks') return [200, { keys: [jwk] }];
    const isClient = question.headers.authorization === `Basic ${Buffer.from('edgeward:s%3Acret').toString('base64')}`;
    if (!isClient) return [401, {}];
    return [200, opaque.get(new URLSearchParams(question.body).get('token') ?? '') ?? { active: false }];
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const backend: SpacesBackend = {
    url,
    asked,
    membership: () => 200,
    opaque,
    user: (id, claims = {}) =>
      rs256({
        ...{ user_id: id, user_id_sig: 'x', product_type: 'accounts', iss: 'zang.io', publickeyid: 'k1', ver: '2.0' },
        ...{ displayname: `Name of ${id}`, exp: inAnHour(), ...claims },
      }),
    guest: (id, claims = {}) =>
      hs256(guestSecret, {
        ...{ anonymous_id: id, product_type: 'zangspaces', iss: ['spaces', 'x'], jti: randomUUID(), exp: inAnHour() },
        ...claims,
      }),
    environment: {
      JWT_JWKS_URL: `${url}/jwks`,
      JWT_ISSUERS: 'zang.io',
      ANONYMOUS_JWT_SECRET: guestSecret,
      INTROSPECTION_URL: `${url}/introspect`,
      INTROSPECTION_CLIENT_ID: 'edgeward',
      INTROSPECTION_CLIENT_SECRET: 's:cret',
      MEMBERSHIP_URL: `${url}/spaces/{space}/join`,
      BACKEND_JWT_SECRET: backendSecret,
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await stopServer(server);
    },
  };
  return backend;
}
