import type { Channel, ChannelModel } from 'amqplib';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { AmqpConnection } from './amqp-connection.ts';
import { amqpFault } from './amqp-fault.ts';

export type DeclaredQueue = {
  readonly queue: string;
  readonly bindings: readonly { readonly exchange: string; readonly pattern: string }[];
  readonly connection: AmqpConnection;
  readonly clock: Clock;
};

/** An exchange that is deleted takes its bindings with it, and the broker tells nobody. */
const lookAgainMs = 30_000;

/**
 * A durable queue and what it is bound to, made where it is not there. As long as the channel is open the bindings are
 * looked after; `lose` is told when one of them cannot be had any more. Rejects with a `Fault` that names the exchange
 * that is missing, or what of the queue is not as it should be.
 */
export async function declareQueue(
  channel: Channel,
  declared: DeclaredQueue,
  lose: (fault: Fault) => void,
): Promise<void> {
  const { queue, connection, clock } = declared;
  await channel.assertQueue(queue, { durable: true, autoDelete: false, exclusive: false });
  await bindAll(await connection.up(), declared);
  const closed = new AbortController();
  channel.once('close', () => closed.abort());
  void lookAfter();

  async function lookAfter(): Promise<void> {
    for (;;) {
      await clock.wait(lookAgainMs, closed.signal);
      if (closed.signal.aborted) return;
      try {
        const model = connection.fault ? undefined : await connection.up();
        if (model) await bindAll(model, declared);
      } catch (fault) {
        // A lost connection takes the channel along, and a fault of it is told by itself.
        if (closed.signal.aborted || connection.fault) return;
        return lose(fault as Fault);
      }
    }
  }
}

/** On a channel of its own, which is what the broker closes over an exchange that is missing. */
async function bindAll(model: ChannelModel, { queue, bindings, connection }: DeclaredQueue): Promise<void> {
  let resource = `queue "${queue}"`;
  try {
    const channel = await model.createChannel();
    // The call below rejects with the same.
    channel.on('error', () => {});
    for (const { exchange, pattern } of bindings) {
      resource = `exchange "${exchange}"`;
      await channel.bindQueue(queue, exchange, pattern);
    }
    await channel.close();
  } catch (error) {
    throw amqpFault(error, connection.place(resource));
  }
}
