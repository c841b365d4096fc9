import type { BrokerMessage, MessageHandler, Settlement } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';
import { handlerThrew } from './source-fault.ts';

/**
 * What the handler decides, at once where it does. One that throws, which it never does, has not accepted: the message
 * is to come again. Never throws or rejects.
 */
export function askHandler(
  handler: MessageHandler,
  message: BrokerMessage,
  { source, observer }: { readonly source: string; readonly observer: Observer },
): Settlement | Promise<Settlement> {
  const again = (error: unknown): Settlement => {
    observer.observe({ kind: 'source-fault', source, error: handlerThrew(source, error) });
    return { kind: 'retry', cause: 'the handler threw' };
  };
  try {
    const settlement = handler(message);
    return settlement instanceof Promise ? settlement.catch(again) : settlement;
  } catch (error) {
    return again(error);
  }
}
