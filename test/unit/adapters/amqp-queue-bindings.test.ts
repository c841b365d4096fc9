import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import { expect, test, vi } from 'vitest';
import { QueueBindings } from '../../../src/adapters/inbound/amqp/queue-bindings.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';

/** A broker that answers everything, and says what it was asked. */
function brokerThatTakesAll(channelMax = 2047) {
  const asked: string[] = [];
  const answer = (what: string) => async (_: string, stream: string, pattern: string) => {
    asked.push(`${what} ${stream} ${pattern}`);
    await new Promise(setImmediate);
  };
  const createChannel = async () =>
    Object.assign(new EventEmitter(), { bindQueue: answer('bind'), unbindQueue: answer('unbind') });
  const model = { createChannel: vi.fn(createChannel), connection: { channelMax } };
  return { asked, model: model as typeof model & ChannelModel };
}

const bindings = () =>
  new QueueBindings({
    source: 'amqp',
    place: (resource) => ({ source: 'amqp', resource, address: 'rabbit:5672', vhost: '/' }),
    clock: systemClock,
    backOff: { delayMsMin: 1, delayMsMax: 1 },
    renewMs: 0,
    onFault: () => {},
    onState: () => {},
  });

test('a bind does not wait behind what others have released, nor is that held back for ever', async () => {
  const { asked, model } = brokerThatTakesAll();
  const { signal } = new AbortController();
  const queue = bindings();
  await queue.attach(model, 'q');
  const keys = Array.from({ length: 1000 }, (_, index) => `old.${index}`);
  const held = await Promise.all(keys.map((key) => queue.bind('e', key, signal)));
  asked.length = 0;
  for (const each of held) if (each.ok) each.value.release();
  await Promise.all(Array.from({ length: 100 }, (_, index) => queue.bind('e', `new.${index}`, signal)));
  const unbinds = asked.filter((each) => each.startsWith('unbind')).length;
  expect(unbinds).toBeGreaterThan(20);
  expect(unbinds).toBeLessThan(60);
});

test('no more channels are opened than the broker allows beside the one that consumes', async () => {
  const { model } = brokerThatTakesAll(4);
  const { signal } = new AbortController();
  const queue = bindings();
  await queue.attach(model, 'q');
  await Promise.all(Array.from({ length: 100 }, (_, index) => queue.bind('e', `${index}`, signal)));
  expect(model.createChannel).toHaveBeenCalledTimes(3);
});
