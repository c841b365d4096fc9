import type { DirectWebSocket, WebSocketOwner } from '../direct-websocket.ts';
import type { FrameRun } from '../frame-run.ts';
import type { OpenSockets } from '../open-sockets.ts';
import { type PendingWrite, writeFrames } from '../write-frames.ts';
import type { HubConnection, HubSocket } from './hub-connection.ts';

/** What stands between a connection of a hub and ws. */
export class HubWebSocket implements HubSocket, WebSocketOwner {
  /** Set before anything happens. */
  connection: HubConnection | undefined;
  readonly #websocket: DirectWebSocket;
  readonly #sockets: OpenSockets<HubConnection>;

  constructor(websocket: DirectWebSocket, sockets: OpenSockets<HubConnection>) {
    this.#websocket = websocket;
    this.#sockets = sockets;
  }

  write(run: FrameRun, pending: PendingWrite): boolean {
    return writeFrames(this.#websocket, run, pending);
  }

  close(code: number): void {
    this.#websocket.close(code);
  }

  terminate(): void {
    this.#websocket.terminate();
  }

  pause(): void {
    this.#websocket.pause();
  }

  resume(): void {
    this.#websocket.resume();
  }

  message(data: Buffer): void {
    this.connection?.receive(data);
  }

  closed(code: number): void {
    this.connection?.end(`closed_${code}`);
    this.#sockets.delete(this.#websocket);
  }
}
