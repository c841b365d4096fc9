import { deflatedFrame } from './deflated-frame.ts';

/** Frames of this many bytes and more are not copied: a system call takes several buffers, too. */
const joinedFrameBytesMax = 16_384;
/** What small frames are joined to, at the most. */
const joinedBytesMax = 65_536;

/**
 * Frames in the order in which connections are owed them, one or more. It cannot be changed, so all connections that are
 * owed the same frames hold the same run, and what is made of it is made once for all of them.
 */
export class FrameRun {
  readonly last: Buffer;
  readonly #before: FrameRun | undefined;
  #buffers: readonly Buffer[] | undefined;
  #deflated: readonly Buffer[] | undefined;

  constructor(before: FrameRun | undefined, last: Buffer) {
    this.#before = before;
    this.last = last;
  }

  /** Each frame. */
  get frames(): readonly Buffer[] {
    const frames = [this.last];
    for (let run = this.#before; run; run = run.#before) frames.push(run.last);
    return frames.reverse();
  }

  /** The same bytes in as few buffers as pays. */
  get buffers(): readonly Buffer[] {
    this.#buffers ??= this.#before === undefined ? [this.last] : joinSmall(this.frames);
    return this.#buffers;
  }

  /** The same messages for clients that take compressed ones. */
  get deflatedBuffers(): readonly Buffer[] {
    this.#deflated ??= joinSmall(this.frames.map(deflatedFrame));
    return this.#deflated;
  }
}

function joinSmall(frames: readonly Buffer[]): readonly Buffer[] {
  const buffers: Buffer[] = [];
  let small: Buffer[] = [];
  let bytes = 0;
  const join = () => {
    const [first] = small;
    if (first) buffers.push(small.length === 1 ? first : Buffer.concat(small, bytes));
    small = [];
    bytes = 0;
  };
  for (const frame of frames) {
    const isSmall = frame.length < joinedFrameBytesMax;
    if (!isSmall || bytes + frame.length > joinedBytesMax) join();
    if (isSmall) {
      small.push(frame);
      bytes += frame.length;
    } else {
      buffers.push(frame);
    }
  }
  join();
  return buffers;
}
