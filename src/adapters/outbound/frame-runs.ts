import { FrameRun } from './frame-run.ts';

/**
 * Lengthens the runs of many connections by one frame after the other. Connections that had the same run get the same
 * one, in whatever order they come, as long as the frame does not change.
 */
export class FrameRuns {
  #frame: Buffer | undefined;
  #before: FrameRun | undefined;
  #run: FrameRun | undefined;
  /** What the frame has been added to besides. */
  readonly #others = new Map<FrameRun | undefined, FrameRun>();

  /** @param before what the connection is owed already, if anything. */
  extend(before: FrameRun | undefined, frame: Buffer): FrameRun {
    if (frame === this.#frame) {
      if (this.#run && before === this.#before) return this.#run;
      if (this.#run) this.#others.set(this.#before, this.#run);
    } else if (this.#others.size > 0) {
      this.#others.clear();
    }
    const known = frame === this.#frame ? this.#others.get(before) : undefined;
    this.#frame = frame;
    this.#before = before;
    this.#run = known ?? new FrameRun(before, frame);
    return this.#run;
  }

  /** Keeps nothing of what was handed out. */
  forget(): void {
    this.#frame = undefined;
    this.#before = undefined;
    this.#run = undefined;
    this.#others.clear();
  }
}
