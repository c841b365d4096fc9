import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Acknowledgements } from '../../../src/adapters/inbound/amqp/acknowledgements.ts';

const messageOf = (deliveryTag: number): ConsumeMessage => ({
  content: Buffer.alloc(0),
  fields: { deliveryTag, consumerTag: 'c', redelivered: false, exchange: 'x', routingKey: 'k' },
  properties: {} as ConsumeMessage['properties'],
});

type Said = readonly [what: 'ack' | 'nack', tag: number, multiple: boolean];

/** A channel as the broker has it: what it is told must be of messages that it waits to hear of. */
class FakeChannel {
  readonly said: Said[] = [];
  readonly unsettled = new Set<number>();
  isClosing = false;

  ack({ fields: { deliveryTag } }: ConsumeMessage, multiple = false): void {
    this.#say('ack', deliveryTag, multiple);
  }

  nack({ fields: { deliveryTag } }: ConsumeMessage, multiple = false): void {
    this.#say('nack', deliveryTag, multiple);
  }

  #say(what: Said[0], tag: number, multiple: boolean): void {
    if (this.isClosing) throw new Error('Channel closing');
    this.said.push([what, tag, multiple]);
    expect(this.unsettled).toContain(tag);
    for (const each of [...this.unsettled]) if (each === tag || (multiple && each < tag)) this.unsettled.delete(each);
  }
}

function open(count: number) {
  const channel = new FakeChannel();
  const acknowledgements = new Acknowledgements(channel);
  const messages = Array.from({ length: count }, (_, index) => messageOf(index + 1));
  const deliver = (message: ConsumeMessage) => {
    channel.unsettled.add(message.fields.deliveryTag);
    acknowledgements.delivered(message);
  };
  for (const message of messages) deliver(message);
  const message = (tag: number) => messages[tag - 1] ?? messageOf(tag);
  const accept = (...tags: number[]) => tags.map((tag) => acknowledgements.accept(message(tag)));
  const reject = (tag: number) => acknowledgements.reject(message(tag), true);
  return { channel, acknowledgements, accept, reject };
}

/** Everything that was accepted has been told of by then. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what is accepted in one turn', () => {
  test('is told in one go, behind all of it', async () => {
    const { channel, accept } = open(3);
    expect(accept(1, 2, 3)).toEqual([true, true, true]);
    expect(channel.said).toEqual([]);
    await turn();
    expect(channel.said).toEqual([['ack', 3, true]]);
  });

  test('is told together also where promises bring it', async () => {
    const { channel, accept } = open(3);
    for (const tag of [1, 2, 3]) void Promise.resolve().then(() => accept(tag));
    await turn();
    expect(channel.said).toEqual([['ack', 3, true]]);
  });

  test('in another order than it came is told together', async () => {
    const { channel, accept } = open(3);
    accept(3, 1, 2);
    await turn();
    expect(channel.said).toEqual([['ack', 3, true]]);
  });

  test('is told one by one behind what is open still, so that it holds nothing back', async () => {
    const { channel, accept } = open(5);
    accept(1, 2, 4, 5);
    await turn();
    expect([...channel.unsettled]).toEqual([3]);
    expect(channel.said).toEqual([
      ['ack', 4, false],
      ['ack', 5, false],
      ['ack', 2, true],
    ]);
  });

  test('covers what was given back, which the broker has heard of', async () => {
    const { channel, accept, reject } = open(3);
    accept(1);
    expect(reject(2)).toBe(true);
    accept(3);
    await turn();
    expect(channel.said).toEqual([
      ['nack', 2, false],
      ['ack', 3, true],
    ]);
  });
});

describe('a message', () => {
  test('is settled once', async () => {
    const { channel, accept, reject } = open(1);
    expect(accept(1, 1)).toEqual([true, false]);
    expect(reject(1)).toBe(false);
    await turn();
    expect(channel.said).toEqual([['ack', 1, true]]);
  });

  test('of a channel that is about to close is told of before, and none is settled from then on', () => {
    const { channel, acknowledgements, accept, reject } = open(3);
    accept(1);
    acknowledgements.end();
    expect(channel.said).toEqual([['ack', 1, true]]);
    expect([...accept(2), reject(3)]).toEqual([false, false]);
  });

  test('of a channel that closes by itself is not told of, and harms nobody', async () => {
    const { channel, accept, reject } = open(2);
    accept(1);
    channel.isClosing = true;
    expect(reject(2)).toBe(false);
    await turn();
    expect(channel.said).toEqual([]);
  });
});

test('no message is ever told of that is not settled, and in the end every one that is', async () => {
  const step = fc.record({ tag: fc.integer({ min: 1, max: 12 }), how: fc.constantFrom('accept', 'reject', 'turn') });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { channel, accept, reject } = open(12);
      const settled = new Set<number>();
      const hasToldNoOther = () => {
        for (let tag = 1; tag <= 12; tag += 1) if (!settled.has(tag)) expect(channel.unsettled).toContain(tag);
      };
      for (const { tag, how } of steps) {
        if (how === 'turn') await turn();
        else expect(how === 'accept' ? accept(tag) : [reject(tag)]).toEqual([!settled.has(tag)]);
        if (how !== 'turn') settled.add(tag);
        hasToldNoOther();
      }
      await turn();
      hasToldNoOther();
      for (const tag of settled) expect(channel.unsettled).not.toContain(tag);
    }),
  );
});
