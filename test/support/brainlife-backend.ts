import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stopServer } from './stop-server.ts';

/** Stands in for amaretti and warehouse: what they answer to access checks. */
export type BrainlifeBackend = AsyncDisposable & {
  /** Without a slash at the end. */
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: readonly { readonly url: string; readonly authorization: string | undefined }[];
  /** Answers questions about what has this in its name like this, from here on. */
  answer(part: string, listener: RequestListener): void;
  /** Refuses connections until it is up again. */
  down(): Promise<void>;
  up(): Promise<void>;
};

export const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** As amaretti does it (brainlife section 5): not JSON, and 401. */
const denies: RequestListener = (_, response) =>
  void response.writeHead(401).end("no such instance or you don't have access to it");

/** Instances and projects whose name begins with `mine` belong to everybody who has a token. */
export async function brainlifeBackend(): Promise<BrainlifeBackend> {
  const requests: { url: string; authorization: string | undefined }[] = [];
  const answers: [string, RequestListener][] = [];
  const server = createServer((request, response) => {
    const { url = '', headers } = request;
    requests.push({ url, authorization: headers.authorization });
    const chosen = answers.findLast(([part]) => url.includes(part))?.[1];
    if (chosen) return chosen(request, response);
    const known = /^\/(amaretti\/event\/checkaccess\/(instance\/)?|warehouse\/event\/checkaccess\/project\/)mine/;
    if (headers.authorization?.startsWith('Bearer ') && known.test(url))
      return sendJson(response, 200, { status: 'ok' });
    return denies(request, response);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: (part, listener) => void answers.push([part, listener]),
    down: () => stopServer(server),
    up: () => listen(port),
    async [Symbol.asyncDispose]() {
      if (server.listening) await stopServer(server);
    },
  };
}
