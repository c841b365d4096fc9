import type { BrokerMessage } from '../../src/application/ports/event-source.ts';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = ({ event }: BrokerMessage): string => new TextDecoder().decode(event.payload);

/** A deadline of its own each time, so that a listener left on it is seen. */
export const neverAborts = (): AbortSignal => new AbortController().signal;

/**
 * What became of a promise, as a value. Not `expect(…).resolves`: the test runner charges an expectation that is under
 * way to whichever test ends first, and mutants run side by side.
 */
export const outcomeOf = async <T>(
  promise: Promise<T> | undefined,
): Promise<{ readonly resolved: T | undefined } | { readonly rejected: unknown }> => {
  try {
    return { resolved: await promise };
  } catch (error) {
    return { rejected: error };
  }
};
