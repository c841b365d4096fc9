import { WebSocket } from 'ws';

/** What a connection is told of its WebSocket. */
export type WebSocketOwner = {
  /** One whole message, whether it came as text or as bytes: `binaryType` is left as it is. */
  message(data: Buffer, isBinary: boolean): void;
  /** Something came that shows that the client is there. */
  pong?(): void;
  /** Something is wrong with a frame. `closed` follows, with a code that says what. */
  failed?(error: Error): void;
  /** Nothing more comes. */
  closed(code: number): void;
};

const noExtensions = Object.freeze({});

/**
 * A WebSocket that tells its owner what happens by calling it. Functions that listen, one for each event of each
 * connection, and the tables that they stand in, are half a kilobyte.
 */
export class DirectWebSocket extends WebSocket {
  owner: WebSocketOwner | undefined;
  /** What ws begins with, and replaces where something is agreed on; an empty one for each is read with every write. */
  protected _extensions: object = noExtensions;

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { owner } = this;
    if (!owner) return super.emit(event, ...args);
    switch (event) {
      case 'message':
        owner.message(args[0] as Buffer, args[1] === true);
        break;
      case 'pong':
        owner.pong?.();
        break;
      case 'error':
        owner.failed?.(args[0] as Error);
        break;
      case 'close':
        owner.closed(Number(args[0]));
        break;
      default:
    }
    return true;
  }
}
