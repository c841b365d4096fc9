/** What is told of a stream of WebSocket frames, in their order. */
export type FrameSink = {
  /**
   * A frame has arrived whole.
   *
   * @param length bytes of its payload.
   * @param payload where it has at most as many bytes as the walker keeps; valid only during the call.
   */
  frame(opcode: number, length: number, payload: Buffer | undefined): void;
};

const headBytesMax = 10;

/**
 * Walks from header to header (RFC 6455 section 5.2) without looking at what is between them, so that a client which
 * only counts costs little. For what servers send: frames with a mask are refused.
 */
export class FrameWalker {
  readonly #head = Buffer.alloc(headBytesMax);
  #headBytes = 0;
  #opcode = 0;
  #length = 0;
  #left = 0;
  #kept: Buffer | undefined;

  /** The longest payload that is handed over. */
  keepMax: number;

  constructor(keepMax: number) {
    this.keepMax = keepMax;
  }

  /** Takes the next bytes of the stream, however they are cut. */
  walk(chunk: Buffer, sink: FrameSink): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        if (this.#kept) chunk.copy(this.#kept, this.#length - this.#left, at, at + taken);
        this.#left -= taken;
        at += taken;
        if (this.#left === 0) this.#end(sink);
        continue;
      }
      this.#head[this.#headBytes] = chunk[at] ?? 0;
      this.#headBytes += 1;
      at += 1;
      if (this.#headBytes === this.#headLength()) this.#begin(sink);
    }
  }

  #headLength(): number {
    if (this.#headBytes < 2) return 2;
    const length = this.#head[1] ?? 0;
    if (length > 127) throw new Error('a server must not mask its frames');
    return length === 126 ? 4 : length === 127 ? 10 : 2;
  }

  #begin(sink: FrameSink): void {
    const short = this.#head[1] ?? 0;
    this.#opcode = (this.#head[0] ?? 0) & 0x0f;
    this.#length =
      short === 126 ? this.#head.readUInt16BE(2) : short === 127 ? Number(this.#head.readBigUInt64BE(2)) : short;
    this.#headBytes = 0;
    this.#left = this.#length;
    this.#kept = this.#length <= this.keepMax ? Buffer.allocUnsafe(this.#length) : undefined;
    if (this.#length === 0) this.#end(sink);
  }

  #end(sink: FrameSink): void {
    const kept = this.#kept;
    this.#kept = undefined;
    sink.frame(this.#opcode, this.#length, kept);
  }
}
