import type { BrokerMessage, MessageHandler, Settlement } from '../../src/application/ports/event-source.ts';

/** A handler that remembers what it was given, and how many messages it had in hand at once. */
export type HandlerProbe = {
  readonly handler: MessageHandler;
  readonly messages: readonly BrokerMessage[];
  /** In hand now, and at most so far. */
  readonly running: number;
  readonly runningMax: number;
};

export const accept: Settlement = { kind: 'accept' };
export const retry: Settlement = { kind: 'retry', cause: 'the test says so' };
export const deadLetter: Settlement = { kind: 'dead-letter', cause: 'the test says so' };

/** @param answer by default accepts everything at once. */
export function handlerProbe(
  answer: (message: BrokerMessage) => Settlement | Promise<Settlement> = () => accept,
): HandlerProbe {
  const messages: BrokerMessage[] = [];
  let running = 0;
  let runningMax = 0;
  return {
    messages,
    get running() {
      return running;
    },
    get runningMax() {
      return runningMax;
    },
    async handler(message) {
      messages.push(message);
      running += 1;
      runningMax = Math.max(runningMax, running);
      try {
        return await answer(message);
      } finally {
        running -= 1;
      }
    },
  };
}

/** A handler that has everything in hand until it is let go. */
export function holdingProbe(settlement: Settlement = accept): {
  readonly probe: HandlerProbe;
  readonly release: () => void;
} {
  const released = Promise.withResolvers<Settlement>();
  return { probe: handlerProbe(() => released.promise), release: () => released.resolve(settlement) };
}
