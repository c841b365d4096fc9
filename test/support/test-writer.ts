import { expect } from 'vitest';
import type { FrameRun } from '../../src/adapters/outbound/frame-run.ts';
import type { Cut, FrameWriter } from '../../src/adapters/outbound/frame-writer.ts';
import type { PendingWrite } from '../../src/adapters/outbound/write-frames.ts';

/** A transport that a test drains by hand. */
export class TestWriter implements FrameWriter {
  readonly writes: (readonly string[])[] = [];
  readonly cuts: Cut[] = [];
  /** How often it was told that nothing is owed any more. */
  emptiedCount = 0;
  #pending: PendingWrite | undefined;

  write({ frames, buffers }: FrameRun, pending: PendingWrite): boolean {
    expect(this.#pending, 'one write at a time').toBeUndefined();
    expect(Buffer.concat(buffers)).toEqual(Buffer.concat(frames));
    this.writes.push(frames.map(String));
    this.#pending = pending;
    return false;
  }

  /** Whether something is not drained yet. */
  get isWriting(): boolean {
    return this.#pending !== undefined;
  }

  drain(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.written();
  }

  emptied(): void {
    this.emptiedCount += 1;
  }

  terminate(cut: Cut): void {
    this.cuts.push(cut);
  }

  get frames(): readonly string[] {
    return this.writes.flat();
  }
}
