import { STATUS_CODES } from 'node:http';
import type { Writable } from 'node:stream';

/** A problem document (RFC 9457). Its type is always `about:blank`: the status says it all. */
export type Problem = { readonly title: string; readonly status: number; readonly detail?: string };

export const problemContentType = 'application/problem+json; charset=utf-8';

/** @param detail for the caller to read; says nothing of the gateway's inside. */
export const problem = (status: number, detail?: string): Problem => ({
  title: STATUS_CODES[status] ?? 'Error',
  status,
  ...(detail === undefined ? {} : { detail }),
});

/** Seconds after which a caller may come back to a gateway that is closing. */
export const retryAfterSeconds = 1;

export const closingDetail = 'The gateway is closing. Come back in a moment.';

/** Answers on a bare socket, for requests that never become one of the HTTP server's, and ends it. */
export function writeProblem(
  socket: Writable,
  status: number,
  detail?: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problem(status, detail));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  // Not left to the peer: one that never closes its side would keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
