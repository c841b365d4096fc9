import type { Socket as EngineSocket } from 'engine.io';
import type { SendQueues } from '../send-queue.ts';
import { AdapterOutlet, type CutListener, type PacketOptions } from './adapter-outlet.ts';
import type { EncodedPacket } from './encoded-packet.ts';

/**
 * What is used of Socket.IO 4 that its types do not show: the last step of every broadcast, which adapters call for each
 * recipient (`Client` in `socket.io/dist/client.js`). All such use is in this file.
 */
type Client = {
  readonly conn: EngineSocket;
  writeToEngine(this: Client, packet: EncodedPacket, options: PacketOptions): void;
};

/** The outlets of all connections of a server. Each goes with its connection. */
export class AdapterOutlets {
  readonly #queues: SendQueues;
  readonly #onCut: CutListener;

  constructor(queues: SendQueues, onCut: CutListener) {
    this.#queues = queues;
    this.#onCut = onCut;
  }

  /**
   * From here on, what is broadcast to the client goes through its outlet.
   *
   * @param socket of any of the client's namespaces, where there is one yet.
   */
  adopt(socket: { readonly client?: unknown } | undefined): void {
    const client = socket?.client as Partial<Client> | undefined;
    if (!client?.conn || AdapterOutlet.of(client.conn)) return;
    new AdapterOutlet(client.conn, this.#queues, this.#onCut);
    client.writeToEngine = writeToOutlet;
  }
}

function writeToOutlet(this: Client, packet: EncodedPacket, options: PacketOptions): void {
  const isBroadcast = options.preEncoded === true && Array.isArray(packet);
  if (isBroadcast && AdapterOutlet.of(this.conn)?.send(packet, options)) return;
  (Object.getPrototypeOf(this) as Client).writeToEngine.call(this, packet, options);
}
