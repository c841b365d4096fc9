import type { Event } from '../domain/event.ts';
import { Fault } from './fault.ts';
import type { Clock } from './ports/clock.ts';
import type { EventPublisher } from './ports/event-publisher.ts';
import type { Observer } from './ports/observer.ts';

/**
 * Whose order counts. `local`: what a client sends is in the room at once, and the broker gets a copy for other
 * instances and back-ends. `broker`: everybody's copy, the sender's too, is the one that comes back through a source.
 */
export type MessageOrder = 'local' | 'broker';

export type ExchangeDependencies = {
  readonly endpoint: string;
  readonly publisher: EventPublisher;
  readonly order: MessageOrder;
  /** How long the broker may take to confirm it; with the order `broker` it has failed then. */
  readonly publishTimeoutMs: number;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Puts an event into its room, here. */
  readonly deliver: (event: Event) => void;
};

export interface MessageExchange {
  /**
   * Resolves with `sent` once the room has it (`local`) or the broker does (`broker`), and never rejects. What is
   * `unconfirmed` may still come. Events of one sender are in the room in the order of the calls.
   */
  send(event: Event): Promise<'sent' | 'unconfirmed'>;
  /** Resolves once the broker has confirmed, or failed to, all that was sent before; or when the signal aborts. */
  settled(deadline: AbortSignal): Promise<void>;
}

/** From a client to its room and to the broker. */
export function createMessageExchange(dependencies: ExchangeDependencies): MessageExchange {
  const { endpoint, publisher, order, publishTimeoutMs, clock, observer, deliver } = dependencies;

  const outstanding = new Set<Promise<unknown>>();

  function publish(event: Event): Promise<'sent' | 'unconfirmed'> {
    const publishing = publishInTime(event);
    outstanding.add(publishing);
    void publishing.then(() => outstanding.delete(publishing));
    return publishing;
  }

  async function publishInTime(event: Event): Promise<'sent' | 'unconfirmed'> {
    const late = Promise.withResolvers<never>();
    const stop = clock.schedule(publishTimeoutMs, () => late.reject(unconfirmed(endpoint, publishTimeoutMs)));
    try {
      await Promise.race([publisher.publish(event), late.promise]);
      observer.observe({ kind: 'client-event', endpoint, outcome: 'published' });
      return 'sent';
    } catch (error) {
      observer.observe({ kind: 'publish-failed', endpoint, eventId: event.id, error });
      return 'unconfirmed';
    } finally {
      stop();
    }
  }

  return {
    async send(event) {
      if (order === 'broker') return publish(event);
      deliver(event);
      // Not waited for: the room has it, so the sender is not to send it again.
      void publish(event);
      return 'sent';
    },
    async settled(deadline) {
      if (outstanding.size === 0 || deadline.aborted) return;
      const aborted = Promise.withResolvers<void>();
      const abort = () => aborted.resolve();
      deadline.addEventListener('abort', abort);
      await Promise.race([Promise.all(outstanding), aborted.promise]);
      deadline.removeEventListener('abort', abort);
    },
  };
}

const unconfirmed = (endpoint: string, timeoutMs: number): Fault =>
  new Fault(
    'publish_unconfirmed',
    'retry',
    `endpoint "${endpoint}": the broker has not confirmed a client's event within ${timeoutMs} ms; it may have it`,
  );
