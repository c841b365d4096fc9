import type { IncomingMessage } from 'node:http';
import { type Socket as EngineSocket, Transport } from 'engine.io';
import type { DirectWebSocket, WebSocketOwner } from '../direct-websocket.ts';
import { textFrame } from '../text-frame.ts';

/** What Engine.IO makes of a request to upgrade. */
export type UpgradeRequest = IncomingMessage & {
  readonly _query: Record<string, string>;
  readonly websocket: DirectWebSocket;
};

type Packet = Parameters<Transport['send']>[0][number] & {
  readonly options?: { readonly wsPreEncodedFrame?: Buffer[] };
};

/** What Engine.IO's socket wants to hear of its transport. */
type Served = {
  /** Takes the functions away again that listen to the transport. */
  readonly cleanupFn: (() => void)[];
  onPacket(packet: unknown): void;
  onDrain(): void;
  flush(): void;
  onError(error: unknown): void;
  onClose(reason: string): void;
};

type Sent = (error?: Error) => void;

/**
 * Engine.IO's transport over a WebSocket, to the same effect, with methods in the place of functions: Engine.IO's own has
 * nine for itself and nine that listen, with the tables that they stand in, which is 2 kB for each connection.
 */
export class DirectTransport extends Transport implements WebSocketOwner {
  readonly socket: DirectWebSocket;
  /** Set by Engine.IO. */
  perMessageDeflate: unknown = null;
  #served: Served | undefined;

  constructor(request: UpgradeRequest) {
    super(request);
    this.socket = request.websocket;
    // Engine.IO's, for the time between the upgrade and now.
    this.socket.removeAllListeners('error');
    this.socket.owner = this;
    this.writable = true;
  }

  get name(): string {
    return 'websocket';
  }

  get handlesUpgrades(): boolean {
    return true;
  }

  /** Calls the engine's socket, which has begun to listen, in the place of its listeners. */
  serve(engineSocket: EngineSocket): void {
    const served = engineSocket as unknown as Served;
    this.removeAllListeners();
    // They would take away what is not there any more.
    served.cleanupFn.length = 0;
    this.#served = served;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const served = this.#served;
    if (!served) return super.emit(event, ...args);
    switch (event) {
      case 'packet':
        served.onPacket(args[0]);
        break;
      case 'drain':
        served.onDrain();
        break;
      case 'ready':
        served.flush();
        break;
      case 'error':
        served.onError(args[0]);
        break;
      case 'close':
        served.onClose('transport close');
        break;
      default:
    }
    return true;
  }

  override send(packets: Packet[]): void {
    this.writable = false;
    for (const [index, packet] of packets.entries()) {
      const sent: Sent = index + 1 === packets.length ? (error) => this.#allSent(error) : (error) => this.#sent(error);
      const frame = this.perMessageDeflate ? undefined : packet.options?.wsPreEncodedFrame;
      if (frame) senderOf(this.socket).sendFrame(frame, sent);
      else this.parser.encodePacket(packet, this.supportsBinary, (data: string | Buffer) => this.#write(data, sent));
    }
  }

  override doClose(done?: () => void): void {
    this.socket.close();
    done?.();
  }

  message(data: Buffer, isBinary: boolean): void {
    this.onData(isBinary ? data : data.toString());
  }

  failed(error: Error): void {
    this.onError(error.message);
  }

  closed(): void {
    this.onClose();
  }

  protected override onError(message: string, description?: unknown): void {
    // As Engine.IO's own, which looks for listeners.
    if (this.#served) this.emit('error', Object.assign(new Error(message), { type: 'TransportError', description }));
    else super.onError(message, description);
  }

  /** A text in one piece: ws makes two of it, which are dearer to write. */
  #write(data: string | Buffer, sent: Sent): void {
    const isPlain = typeof data === 'string' && !this.perMessageDeflate && this.socket.readyState === this.socket.OPEN;
    if (isPlain) senderOf(this.socket).sendFrame([textFrame(data)], sent);
    else this.socket.send(data, sent);
  }

  #sent(error: Error | undefined): void {
    if (error) this.onError('write error', error.stack);
  }

  #allSent(error: Error | undefined): void {
    if (error) {
      this.onError('write error', error.stack);
      return;
    }
    this.emit('drain');
    this.writable = true;
    this.emit('ready');
  }
}

/** ws has it, and its types do not. */
const senderOf = (websocket: DirectWebSocket) =>
  (websocket as unknown as { readonly _sender: { sendFrame(frame: Buffer[], sent: Sent): void } })._sender;
