import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HubConnection } from '@microsoft/signalr';
import { amqpAdmin } from './amqp-admin.ts';
import { amqpUrl } from './amqp-url.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { startKeyServer, testKey } from './key-server.ts';
import { receivedBy, type SignalrClientOptions, signalrClient } from './signalr-client.ts';
import { stopServer } from './stop-server.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** The Identity Server in small (salto-ks 3). */
export type SaltoIssuer = AsyncDisposable & {
  readonly env: Readonly<Record<string, string>>;
  /** A token with the scope, changed by what is given; a claim that is `undefined` is left out. */
  token(claims?: Claims): Promise<string>;
  /** The same, signed by somebody else. */
  forged(): Promise<string>;
  /** Every token that was made. */
  readonly minted: ReadonlySet<string>;
};

const issuer = 'https://identity.example';

export async function startSaltoIssuer(): Promise<SaltoIssuer> {
  const [key, stranger] = await Promise.all([testKey(randomUUID()), testKey(randomUUID())]);
  const server = await startKeyServer(key);
  const minted = new Set<string>();
  const mint = async (by: typeof key, claims: Claims) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, aud: 'user_api', sub: 'ann', scope: 'openid user_api.full_access', exp: now + 3600 };
    const token = await by.sign({ ...usual, ...claims }, { kid: key.kid });
    minted.add(token);
    return token;
  };
  return {
    env: { IDENTITY_ISSUER: issuer, IDENTITY_JWKS_URL: server.jwksUrl },
    token: (claims = {}) => mint(key, claims),
    forged: () => mint(stranger, {}),
    minted,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Who knows the roles of somebody on a site. */
export type SiteRoles = AsyncDisposable & {
  /** With `{site_id}` in it. */
  readonly url: string;
  /** Sites that were asked about, in order. */
  readonly asked: readonly string[];
  /** By site: roles, or a status. Of other sites it is 404. */
  readonly answers: Map<string, readonly string[] | number>;
};

export async function startSiteRoles(): Promise<SiteRoles> {
  const asked: string[] = [];
  const answers = new Map<string, readonly string[] | number>();
  const server = createServer((request, response) => {
    const site = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
    const answer = request.headers.authorization?.startsWith('Bearer ey') ? (answers.get(site) ?? 404) : 401;
    asked.push(site);
    if (typeof answer === 'number') response.writeHead(answer).end('<html>');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ roles: answer }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/sites/{site_id}`,
    asked,
    answers,
    [Symbol.asyncDispose]: () => stopServer(server),
  };
}

/** SALTO KS in small: its broker, its issuer and `edgeward start presets/salto-ks.yaml`. */
export type Salto = AsyncDisposable & {
  readonly gateway: GatewayProcess;
  readonly issuer: SaltoIssuer;
  /** `http://…`, without a path. */
  readonly url: string;
  /** Publishes on the exchange. Resolves once the broker has it. */
  publish(key: string, body: unknown): Promise<void>;
  /** The official client, connected, with what it receives. */
  connect(path: string, claims: Claims, options?: SignalrClientOptions): Promise<SaltoClient>;
};

export type SaltoClient = { readonly connection: HubConnection; readonly received: readonly unknown[] };

/** A site that nobody else has, and the claim of somebody with a role there. */
export function newSite(...roles: readonly string[]) {
  const site = randomUUID();
  return { site, claims: { site_roles: { [site]: roles } } };
}

const exchange = 'salto.events';

export async function startSalto(env: Readonly<Record<string, string>> = {}): Promise<Salto> {
  await using starting = new AsyncDisposableStack();
  const admin = starting.use(await amqpAdmin());
  await admin.channel.assertExchange(exchange, 'topic', { durable: true });
  const issuer = starting.use(await startSaltoIssuer());
  const gateway = starting.use(
    await startGatewayProcess({
      args: ['start', 'presets/salto-ks.yaml'],
      env: { HOST: '127.0.0.1', AMQP_URL: amqpUrl, ...issuer.env, ...env },
    }),
  );
  const started = starting.move();
  return {
    gateway,
    issuer,
    url: gateway.url,
    publish: (key, body) => admin.publish(exchange, key, Buffer.from(JSON.stringify(body))),
    async connect(path, claims, options) {
      const accessTokenFactory = () => issuer.token(claims);
      const connection = signalrClient(`${gateway.url}${path}`, { accessTokenFactory, ...options });
      const received = receivedBy(connection);
      await connection.start();
      return { connection, received };
    },
    async [Symbol.asyncDispose]() {
      await started.disposeAsync();
      const leaked = [...issuer.minted]
        .flatMap((token) => token.split('.'))
        .find((part) => gateway.output().includes(part));
      if (leaked !== undefined) throw new Error(`a part of a token is in the output of the gateway: ${leaked}`);
    },
  };
}
