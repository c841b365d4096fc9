import type { Socket as EngineSocket, Transport } from 'engine.io';
import type { FrameRun } from '../frame-run.ts';
import type { Cut, FrameWriter } from '../frame-writer.ts';
import type { SendQueue, SendQueues } from '../send-queue.ts';
import type { PendingWrite } from '../write-frames.ts';
import { type EncodedPacket, type FramedPacket, framePacket } from './encoded-packet.ts';
import {
  cutTransport,
  hasWaitingPackets,
  isOldClient,
  takesBytes,
  takesFrames,
  writeFrames,
} from './engine-transport.ts';

/** What `socket.io-adapter` says of a packet: one object for all its recipients. */
export type PacketOptions = {
  readonly preEncoded?: boolean;
  readonly volatile?: boolean | undefined;
  [framedKey]?: FramedPacket | undefined;
};

export type CutListener = (engineSocket: EngineSocket, cut: Cut) => void;

const framedKey = Symbol('framed');
const outletKey = Symbol('outlet');

type WithOutlet = { [outletKey]?: AdapterOutlet };

/**
 * What one connection is sent by the adapters of its namespaces. While it is on WebSocket their packets wait in a send
 * queue; all others go as Engine.IO sends them, which is also how everything goes that is not broadcast.
 *
 * Whatever Engine.IO is about to send, or to end the connection with, first pushes out what waits in the queue, and what
 * leaves the queue goes behind what waits in Engine.IO: so nothing overtakes.
 */
export class AdapterOutlet implements FrameWriter, PendingWrite {
  readonly #engineSocket: EngineSocket;
  readonly #queues: SendQueues;
  readonly #onCut: CutListener;
  #transport: Transport | undefined;
  /** Only while the transport takes ready frames. */
  #queue: SendQueue | undefined;
  #takesBytes = false;
  /** Writes past Engine.IO that are not written. */
  #writesUnderWay = 0;
  #holdsTransport = false;
  /** What Engine.IO says of packets meanwhile is about those that went through here. */
  #isWriting = false;

  constructor(engineSocket: EngineSocket, queues: SendQueues, onCut: CutListener) {
    this.#engineSocket = engineSocket;
    this.#queues = queues;
    this.#onCut = onCut;
    (engineSocket as WithOutlet)[outletKey] = this;
  }

  static of(engineSocket: EngineSocket): AdapterOutlet | undefined {
    return (engineSocket as WithOutlet)[outletKey];
  }

  /** False when the packet is to go the ordinary way. */
  send(packet: EncodedPacket, options: PacketOptions): boolean {
    const { transport } = this.#engineSocket;
    if (transport !== this.#transport) this.#useTransport(transport);
    const queue = this.#queue;
    if (!queue || this.#engineSocket.readyState !== 'open') return false;
    if (!(framedKey in options)) options[framedKey] = framePacket(packet);
    const framed = options[framedKey];
    if (!framed || !(framed.isText || this.#takesBytes)) return false;
    // As for Socket.IO: one that is still sending takes no volatile packet.
    if (options.volatile && !transport.writable) return true;
    if (this.#engineSocket.listenerCount('packetCreate') > 1) this.#announce(packet, options);
    if (queue.push(framed.frames)) this.#hold(transport);
    return true;
  }

  write(run: FrameRun, queue: PendingWrite): boolean {
    const engineSocket = this.#engineSocket;
    if (hasWaitingPackets(engineSocket)) {
      this.#isWriting = true;
      writeFrames(engineSocket, run, queue);
      this.#isWriting = false;
      this.#releaseTransport();
      return false;
    }
    this.#hold(engineSocket.transport);
    this.#writesUnderWay += 1;
    if (!writeFrames(engineSocket, run, this)) return false;
    this.#writesUnderWay -= 1;
    this.#releaseTransport();
    return true;
  }

  written(): void {
    this.#writesUnderWay -= 1;
    this.#releaseTransport();
    this.#queue?.written();
  }

  terminate(cut: Cut): void {
    cutTransport(this.#engineSocket);
    this.#onCut(this.#engineSocket, cut);
  }

  /** Before something else is sent, or the end. */
  pushOut(): void {
    if (!this.#isWriting) this.#queue?.flushNow();
  }

  close(): void {
    this.#queue?.close();
  }

  #useTransport(transport: Transport): void {
    this.#transport = transport;
    if (this.#queue || !takesFrames(this.#engineSocket)) return;
    this.#takesBytes = !isOldClient(this.#engineSocket) && takesBytes(this.#engineSocket);
    this.#queue = this.#queues.open(this);
    this.#engineSocket.on('packetCreate', pushOutFirst);
    this.#engineSocket.once('close', closeOutlet);
    this.#engineSocket.close = closeBehindFrames;
  }

  /** For monitors, which count the packets of Engine.IO. */
  #announce(packet: EncodedPacket, options: PacketOptions): void {
    const wasWriting = this.#isWriting;
    this.#isWriting = true;
    for (const data of packet) this.#engineSocket.emit('packetCreate', { type: 'message', data, options });
    this.#isWriting = wasWriting;
  }

  /** Until everything is written, as Engine.IO has it while it sends: what it is to send meanwhile waits. */
  #hold(transport: Transport): void {
    if (!transport.writable) return;
    transport.writable = false;
    this.#holdsTransport = true;
  }

  #releaseTransport(): void {
    if (this.#writesUnderWay > 0 || !this.#holdsTransport) return;
    this.#holdsTransport = false;
    const { transport } = this.#engineSocket;
    transport.writable = true;
    transport.emit('ready');
  }
}

// One function for all connections, each of which keeps its outlet.

function pushOutFirst(this: WithOutlet): void {
  this[outletKey]?.pushOut();
}

function closeOutlet(this: WithOutlet): void {
  this[outletKey]?.close();
}

/** Once it is closing, Engine.IO takes nothing more, though it goes on to send what waits there. */
function closeBehindFrames(this: EngineSocket & WithOutlet, discard?: boolean): void {
  this[outletKey]?.pushOut();
  (Object.getPrototypeOf(this) as EngineSocket).close.call(this, discard);
}
