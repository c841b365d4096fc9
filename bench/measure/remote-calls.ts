import type { ChildProcess } from 'node:child_process';

/** Questions from one process of the bench to another, over the channel that Node gives a child. */
type Question = { readonly id: number; readonly name: string; readonly argument: unknown };
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string };

export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/** In the child: answers what the parent asks. It ends with the channel, so that nothing outlives the bench. */
export function answerCalls(handlers: Handlers): void {
  process.on('message', (message: Question) => void answer(handlers, message));
  process.on('disconnect', () => process.exit());
}

async function answer(handlers: Handlers, { id, name, argument }: Question): Promise<void> {
  const handler = handlers[name];
  // Another part of the process may answer it.
  if (!handler) return;
  try {
    tell({ id, value: await handler(argument as never) });
  } catch (error) {
    tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

const tell = (message: Answer): void => void process.send?.(message);

/** In the parent: asks, and rejects what is still open when the child ends. */
export class RemoteCalls {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message: Answer) => this.#settle(message));
    child.on('exit', (code, signal) => this.#fail(new Error(`the process has ended with ${code ?? signal}`)));
  }

  ask(name: string, argument?: unknown): Promise<unknown> {
    this.#lastId += 1;
    const answered = Promise.withResolvers<unknown>();
    this.#open.set(this.#lastId, answered);
    this.#child.send({ id: this.#lastId, name, argument }, (error) => error && this.#fail(error));
    return answered.promise;
  }

  #settle({ id, value, error }: Answer): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) open?.resolve(value);
    else open?.reject(new Error(error));
  }

  #fail(error: Error): void {
    for (const open of this.#open.values()) open.reject(error);
    this.#open.clear();
  }
}
