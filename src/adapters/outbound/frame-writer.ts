import type { FrameRun } from './frame-run.ts';
import type { PendingWrite } from './write-frames.ts';

/** What a send queue has of its connection. */
export interface FrameWriter {
  /**
   * Writes ready frames in their order, in one system call where the transport has one. Not called again before they are
   * written, but by `flushNow`. A connection that ends need not say so.
   *
   * @returns whether the transport holds none of them any more. If it does, `pending` is told once it does not.
   */
  write(run: FrameRun, pending: PendingWrite): boolean;
  /**
   * Ends the connection at once, unsent bytes with it, in a way that lets the client come back. Called at most once.
   * Must not throw.
   */
  terminate(cut: Cut): void;
  /** Nothing is owed any more. */
  emptied?(): void;
}

/** `slow`: the client does not read fast enough, for its own limit or for the budget. `failed`: `write` threw. */
export type Cut = { readonly cause: 'slow' | 'failed'; readonly queuedBytes: number };
