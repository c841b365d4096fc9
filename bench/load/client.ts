import { createConnection, type Socket } from 'node:net';
import { clientFrame } from './client-frame.ts';
import { type FrameSink, FrameWalker } from './frame-walker.ts';
import type { Opening } from './opening.ts';

/** What a client tells of what it is sent, once it is ready. */
export type ClientEars = {
  /** So many events have come. */
  count(index: number, events: number): void;
  /** So long was a frame with events, its head included. */
  measure(bytes: number): void;
  /** Every chunk as it came, for those whose latency is looked at. */
  readonly listen: ((chunk: Buffer) => void) | undefined;
  lost(index: number, reason: string): void;
};

// Everything shorter is a ping or an answer of the protocol: no event of the bench is that short.
const controlBytesMax = 31;
const openingBytesMax = 65_536;
const headEnd = Buffer.from('\r\n\r\n');
const readBuffer = Buffer.allocUnsafeSlow(262_144);
const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const engineIoPong = clientFrame('3');
const engineIoPing = '2'.charCodeAt(0);

/** One client on a bare TCP connection: it does what its protocol demands, and counts. */
export class Client implements FrameSink {
  readonly #index: number;
  readonly #opening: Opening;
  readonly #ears: ClientEars;
  readonly #walker = new FrameWalker(openingBytesMax);
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<void>();
  #head: Buffer | undefined = Buffer.alloc(0);
  #isReady = false;
  #isClosing = false;
  /** Of a protocol that is counted by bytes: those that do not make an event yet. */
  #bytesOver = 0;

  constructor(index: number, port: number, opening: Opening, ears: ClientEars) {
    this.#index = index;
    this.#opening = opening;
    this.#ears = ears;
    this.#socket = createConnection({
      host: '127.0.0.1',
      port,
      // One buffer for all: nothing is kept of it after the call.
      onread: { buffer: readBuffer, callback: (bytes) => this.#read(readBuffer.subarray(0, bytes)) },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#lose(error.message));
    this.#socket.on('close', () => this.#lose('the connection was closed'));
    this.#socket.write(upgradeRequest(port, opening));
  }

  /** Resolves once it is where it is sent events. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Without a word, so that no address is kept waiting. */
  close(): void {
    this.#isClosing = true;
    this.#socket.resetAndDestroy();
  }

  frame(opcode: number, length: number, payload: Buffer | undefined): void {
    if (opcode === opcodes.close) this.#lose(`a close frame: ${payload?.toString('latin1', 2) ?? ''}`);
    else if (opcode === opcodes.ping) this.#socket.write(clientFrame(payload ?? '', opcodes.pong));
    else if (opcode === opcodes.pong) return;
    else if (!this.#isReady) this.#open(payload);
    else if (length > controlBytesMax) this.#count(length);
    else if (length === 1 && payload?.[0] === engineIoPing) this.#socket.write(engineIoPong);
  }

  #read(chunk: Buffer): boolean {
    try {
      if (this.#head) this.#readHead(chunk);
      else {
        this.#walker.walk(chunk, this);
        this.#ears.listen?.(chunk);
      }
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
    return true;
  }

  #readHead(chunk: Buffer): void {
    const head = Buffer.concat([this.#head ?? Buffer.alloc(0), chunk]);
    const end = head.indexOf(headEnd);
    this.#head = head;
    if (end < 0) return;
    if (!head.toString('latin1', 0, 12).endsWith(' 101')) throw new Error(head.toString('latin1', 0, 200));
    this.#head = undefined;
    for (const frame of this.#opening.first ?? []) this.#socket.write(clientFrame(frame));
    if (!this.#opening.next) this.#ready();
    this.#walker.walk(head.subarray(end + headEnd.length), this);
  }

  #open(payload: Buffer | undefined): void {
    const step = payload && this.#opening.next?.(payload);
    if (step?.kind === 'ready') this.#ready();
    else if (step?.kind === 'say') for (const frame of step.frames) this.#socket.write(clientFrame(frame));
    else if (step?.kind === 'refused') this.#lose(step.reason);
  }

  #ready(): void {
    this.#isReady = true;
    this.#walker.keepMax = controlBytesMax;
    this.#opened.resolve();
  }

  #count(length: number): void {
    const { bytesPerEvent } = this.#opening;
    this.#ears.measure(length + (length < 126 ? 2 : length <= 0xffff ? 4 : 10));
    if (bytesPerEvent === undefined) this.#ears.count(this.#index, 1);
    else this.#countBytes(length, bytesPerEvent);
  }

  #countBytes(bytes: number, bytesPerEvent: number): void {
    const sum = this.#bytesOver + bytes;
    this.#bytesOver = sum % bytesPerEvent;
    if (sum >= bytesPerEvent) this.#ears.count(this.#index, Math.floor(sum / bytesPerEvent));
  }

  #lose(reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#socket.destroy();
    if (this.#isReady) this.#ears.lost(this.#index, reason);
    else this.#opened.reject(new Error(`client ${this.#index}: ${reason}`));
  }
}

const upgradeRequest = (port: number, { path, subprotocol }: Opening): string =>
  [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==',
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    '\r\n',
  ].join('\r\n');
