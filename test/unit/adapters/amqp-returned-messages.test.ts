import { expect, test } from 'vitest';
import type { AmqpMessage } from '../../../src/adapters/inbound/amqp/amqp-message.ts';
import { ReturnedMessages } from '../../../src/adapters/inbound/amqp/returned-messages.ts';

const message = (text: string, redelivered: boolean, headers = {}): AmqpMessage => ({
  content: Buffer.from(text),
  properties: { headers },
  fields: { consumerTag: 'c', deliveryTag: 1, redelivered, exchange: 'e', routingKey: 'k' },
});

test('a message is known again, once, when the broker says that it was delivered before', () => {
  const returned = new ReturnedMessages();
  returned.remember(message('a', false), { id: '1', attempt: 1 });
  expect(returned.recall(message('a', false))).toBeUndefined();
  expect(returned.recall(message('b', true))).toBeUndefined();
  expect(returned.recall(message('a', true, { other: 1 }))).toBeUndefined();
  expect(returned.recall(message('a', true, { 'x-delivery-count': 1 }))).toEqual({ id: '1', attempt: 1 });
  expect(returned.recall(message('a', true))).toBeUndefined();
});

test('twins are two', () => {
  const returned = new ReturnedMessages();
  returned.remember(message('a', false), { id: '1', attempt: 1 });
  returned.remember(message('a', false), { id: '2', attempt: 1 });
  expect([1, 2, 3].map(() => returned.recall(message('a', true))?.id)).toEqual(['1', '2', undefined]);
});

test('the oldest are forgotten, twins among them', () => {
  const returned = new ReturnedMessages();
  for (let index = 0; index < 3; index += 1) returned.remember(message('twin', false), { id: `t${index}`, attempt: 1 });
  for (let index = 0; index < 10_000; index += 1)
    returned.remember(message(String(index), false), { id: `${index}`, attempt: 1 });
  expect(returned.recall(message('twin', true))).toBeUndefined();
  expect(returned.recall(message('0', true))?.id).toBe('0');
  expect(returned.recall(message('9999', true))?.id).toBe('9999');
});
