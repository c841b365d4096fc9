import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Owns the socket from the call on. Must not throw. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Owns the response from the call on. Must not throw. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The HTTP listener of the process, as endpoints see it. It limits the request line and headers together (16 KiB) and
 * the time they may take, so that a handler needs no limit of its own for what is in the URL, and answers 404 to
 * requests and upgrades that nobody has asked for.
 *
 * Paths begin with `/`; the query is no part of them, and neither is a slash at the end: `/socket.io` and `/socket.io/`
 * are one path. Case matters, and nothing is decoded. Each of the two calls throws a `Fault` (`path_taken`, `stop`) when
 * somebody has the path already, and returns what takes the handler away again.
 */
export interface HttpSurface {
  /**
   * Hands over requests to upgrade to exactly this path, only with `Upgrade: websocket`. The surface has put an `error`
   * listener on the socket, so that a peer that resets the connection early harms nobody.
   */
  onUpgrade(path: string, handler: UpgradeHandler): () => void;
  /** Hands over every other request to this path and to those below it, its body unread. */
  onRequest(pathPrefix: string, handler: RequestHandler): () => void;
}
