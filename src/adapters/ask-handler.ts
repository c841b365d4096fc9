import type { BrokerMessage, MessageHandler, Settlement } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';
import { handlerThrew } from './source-fault.ts';

/** What the handler decides. One that throws, which it never does, has not accepted: the message is to come again. */
export async function askHandler(
  handler: MessageHandler,
  message: BrokerMessage,
  { source, observer }: { readonly source: string; readonly observer: Observer },
): Promise<Settlement> {
  try {
    return await handler(message);
  } catch (error) {
    observer.observe({ kind: 'source-fault', source, error: handlerThrew(source, error) });
    return { kind: 'retry', cause: 'the handler threw' };
  }
}
