import type { WebSocket } from 'ws';
import type { Clock } from '../../application/ports/clock.ts';
import { closingMsMax } from './websocket-server.ts';

/** The WebSockets of an endpoint that are not closed yet, each with its connection. */
export class OpenSockets<Connection> {
  readonly #clock: Clock;
  readonly #connections = new Map<WebSocket, Connection>();
  #onLastGone: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#connections.size;
  }

  values(): Iterable<Connection> {
    return this.#connections.values();
  }

  add(websocket: WebSocket, connection: Connection): void {
    this.#connections.set(websocket, connection);
  }

  delete(websocket: WebSocket): void {
    this.#connections.delete(websocket);
    if (this.#connections.size === 0) this.#onLastGone?.();
  }

  /** Once all of them have been told to close: those that do not answer their close frame are cut by then. */
  async allGone(deadline: AbortSignal): Promise<void> {
    if (this.#connections.size > 0 && !deadline.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLastGone = resolve;
      const stop = this.#clock.schedule(closingMsMax, resolve);
      deadline.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      stop();
    }
    for (const websocket of this.#connections.keys()) websocket.terminate();
  }
}
