import { expect } from 'vitest';
import type { Cut, FrameWriter } from '../../src/adapters/outbound/send-queue.ts';

/** A transport that a test drains by hand. */
export class TestWriter implements FrameWriter {
  readonly writes: (readonly string[])[] = [];
  readonly cuts: Cut[] = [];
  #written: (() => void) | undefined;

  write(frames: readonly Buffer[], written: () => void): void {
    expect(this.#written, 'one write at a time').toBeUndefined();
    this.writes.push(frames.map(String));
    this.#written = written;
  }

  drain(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  terminate(cut: Cut): void {
    this.cuts.push(cut);
  }

  get frames(): readonly string[] {
    return this.writes.flat();
  }
}
