import { createHash } from 'node:crypto';
import type { AmqpMessage } from './amqp-message.ts';

/** What a message was when it was here before. */
export type Earlier = { readonly id: string; readonly attempt: number };

/** More are forgotten, the oldest first: they get another id and count again from the broker's flag. */
const messagesMax = 10_000;

/**
 * What has gone back to the broker, so that it is recognised when it comes again: AMQP numbers deliveries, not messages,
 * and only quorum queues count them. A message is known by what is in it, and looked for only where the broker says that
 * it was delivered before.
 */
export class ReturnedMessages {
  readonly #earlier = new Map<string, Earlier[]>();
  #count = 0;

  remember(message: AmqpMessage, earlier: Earlier): void {
    const key = fingerprint(message);
    const twins = this.#earlier.get(key);
    if (twins) twins.push(earlier);
    else this.#earlier.set(key, [earlier]);
    this.#count += 1;
    while (this.#count > messagesMax) this.#forgetOldest();
  }

  /** Once: what comes again after this is remembered again. */
  recall(message: AmqpMessage): Earlier | undefined {
    if (!message.fields.redelivered || this.#count === 0) return undefined;
    const key = fingerprint(message);
    const twins = this.#earlier.get(key);
    const earlier = twins?.shift();
    if (twins?.length === 0) this.#earlier.delete(key);
    if (earlier) this.#count -= 1;
    return earlier;
  }

  #forgetOldest(): void {
    for (const [key, twins] of this.#earlier) {
      this.#earlier.delete(key);
      this.#count -= twins.length;
      return;
    }
  }
}

/** Without what the broker changes when it delivers again. */
function fingerprint({ content, fields, properties }: AmqpMessage): string {
  const { headers, ...others } = properties;
  const kept = Object.entries(headers ?? {}).filter(
    ([name]) => name !== 'x-delivery-count' && name !== 'x-acquired-count',
  );
  const text = JSON.stringify([fields.exchange, fields.routingKey, others, kept]);
  return createHash('sha256').update(text).update('\0').update(content).digest('base64');
}
