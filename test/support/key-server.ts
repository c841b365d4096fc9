import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { generate } from 'selfsigned';
import { stopServer } from './stop-server.ts';

/** One key of a test issuer, able to sign. */
export type TestKey = {
  readonly kid: string;
  readonly algorithm: string;
  readonly jwk: JWK;
  readonly publicPem: string;
  readonly privatePem: string;
  /** Signs exactly these claims; `header` stands above `alg` and `kid`. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
};

export async function testKey(kid: string, algorithm = 'RS256'): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    kid,
    algorithm,
    jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
    publicPem: await exportSPKI(publicKey),
    privatePem: await exportPKCS8(privateKey),
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, ...header }).sign(privateKey),
  };
}

/** A self-signed certificate of an RS256 key, in PEM. */
export async function certificateOf(key: TestKey): Promise<string> {
  const { cert } = await generate([{ name: 'commonName', value: key.kid }], {
    algorithm: 'sha256',
    keyPair: { publicKey: key.publicPem, privateKey: key.privatePem },
  });
  return cert;
}

export type KeyServer = {
  readonly jwksUrl: string;
  readonly x509Url: string;
  /** Requests that came in, whatever became of them. */
  readonly requests: number;
  /** What is published from here on: all keys as JWKS, and RS256 ones as certificates by key id too. */
  publish(...keys: TestKey[]): Promise<void>;
  /** Answers like this from here on; `undefined`: the published keys. */
  answerWith(listener: RequestListener | undefined): void;
  /** Holds every answer back until the returned function is called. */
  hold(): () => void;
  /** Refuses connections until `up()`, which takes the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
};

const sendJson = (response: ServerResponse, body: unknown) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** A real HTTP key server on loopback. Keys are published at `/jwks` and `/x509`. */
export async function startKeyServer(...keys: TestKey[]): Promise<KeyServer> {
  const published = new Map<string, unknown>();
  let requests = 0;
  let listener: RequestListener | undefined;
  let held: Promise<void> | undefined;
  const answer: RequestListener = (request, response) => {
    if (listener) listener(request, response);
    else sendJson(response, published.get(request.url ?? ''));
  };
  const server: Server = createServer((request, response) => {
    requests += 1;
    if (held) void held.then(() => answer(request, response));
    else answer(request, response);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const stop = () => stopServer(server);
  const publish = async (...current: TestKey[]) => {
    const certificates: [string, string][] = [];
    for (const key of current) {
      if (key.algorithm === 'RS256') certificates.push([key.kid, await certificateOf(key)]);
    }
    published.set('/jwks', { keys: current.map(({ jwk }) => jwk) });
    published.set('/x509', Object.fromEntries(certificates));
  };
  await publish(...keys);
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    jwksUrl: `http://127.0.0.1:${port}/jwks`,
    x509Url: `http://127.0.0.1:${port}/x509`,
    get requests() {
      return requests;
    },
    publish,
    answerWith(next) {
      listener = next;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    down: stop,
    up: () => listen(port),
    close: stop,
  };
}
