import { describe, expect, test } from 'vitest';
import { type Delivery, SubscriptionIntake } from '../../../src/adapters/inbound/pubsub/subscription-intake.ts';
import { anEvent } from '../../support/event-fixture.ts';

const limits = { inFlightMax: 2, inFlightBytesMax: 100, ordered: false, waitMsMax: 1000 };

/** Deliveries of a test, and what became of each: `+` acknowledged, `-` given back. */
function setUp(some: Partial<typeof limits> = {}) {
  const intake = new SubscriptionIntake({ ...limits, ...some });
  const told: string[] = [];
  const add = (id: string, { key = '', bytes = 1, at = 0 } = {}): Delivery => {
    const delivery: Delivery = {
      event: anEvent({ id, key, payload: new Uint8Array(bytes) }),
      attempt: 1,
      receivedAt: at,
      acknowledge: () => void told.push(`+${id}`),
      giveBack: () => void told.push(`-${id}`),
    };
    intake.add(delivery);
    return delivery;
  };
  const take = (now = 0) => intake.take(now)?.event.id;
  return { intake, told, add, take };
}

describe('what is taken', () => {
  test('comes in order, and never more than may be in flight', () => {
    const { intake, add, take } = setUp();
    const first = add('m0');
    add('m1');
    add('m2');
    expect([take(), take(), take()]).toEqual(['m0', 'm1', undefined]);
    expect(intake.waiting).toBe(1);
    intake.accept(first);
    expect(take()).toBe('m2');
  });

  test('never has more bytes than may be in flight, but for a single message', () => {
    const { intake, add, take } = setUp({ inFlightMax: 10 });
    const large = add('large', { bytes: 500 });
    const half = add('half', { bytes: 60 });
    add('other', { bytes: 60 });
    expect([take(), take()]).toEqual(['large', undefined]);
    intake.accept(large);
    expect([take(), take()]).toEqual(['half', undefined]);
    intake.accept(half);
    expect(take()).toBe('other');
  });

  test('has most of its lease left: what has waited for too long is given back', () => {
    const { intake, told, add, take } = setUp();
    add('old', { at: 0 });
    add('new', { at: 500 });
    expect(take(1001)).toBe('new');
    expect(told).toEqual(['-old']);
    expect(intake.waiting).toBe(0);
  });

  test('is asked for when there is room and nothing waits', () => {
    const { intake, add, take } = setUp();
    expect(intake.isHungry).toBe(true);
    add('m0');
    expect(intake.isHungry).toBe(false);
    take();
    expect(intake.isHungry).toBe(true);
    add('m1', { bytes: 99 });
    take();
    expect(intake.isHungry).toBe(false);
  });
});

describe('a message that the broker brings once more while the handler has it', () => {
  test('is settled with it, and is not handed over', () => {
    const { intake, told, add, take } = setUp();
    const first = add('m0');
    take();
    add('m0');
    add('m0');
    expect(take()).toBeUndefined();
    intake.accept(first);
    expect(told).toEqual(['+m0', '+m0', '+m0']);
  });

  test('is given back with it', () => {
    const { intake, told, add, take } = setUp();
    const first = add('m0');
    take();
    add('m0');
    intake.giveBack(first, 0);
    expect(told).toEqual(['-m0', '-m0']);
  });

  test('is given back with it past the deadline of a drain', () => {
    const { intake, told, add, take } = setUp();
    add('m0');
    take();
    add('m0');
    intake.giveBackTaken();
    expect(told).toEqual(['-m0', '-m0']);
  });
});

describe('with order', () => {
  const ordered = { ordered: true, inFlightMax: 10 };

  test('one message of a key is taken at a time, and those without a key as they come', () => {
    const { intake, add, take } = setUp(ordered);
    const a0 = add('a0', { key: 'a' });
    add('a1', { key: 'a' });
    add('b0', { key: 'b' });
    add('m0');
    add('m1');
    expect([take(), take(), take(), take(), take()]).toEqual(['a0', 'b0', 'm0', 'm1', undefined]);
    intake.accept(a0);
    expect(take()).toBe('a1');
  });

  test('what waits behind a message is given back with it, and comes again in its order only', () => {
    const { intake, told, add, take } = setUp(ordered);
    const a0 = add('a0', { key: 'a' });
    add('a1', { key: 'a' });
    take();
    intake.giveBack(a0, 0);
    expect(told).toEqual(['-a0', '-a1']);
    // On its way already, and then in the order of a broker that knows none.
    add('a2', { key: 'a' });
    add('a1', { key: 'a' });
    expect(told).toEqual(['-a0', '-a1', '-a2', '-a1']);
    expect(take()).toBeUndefined();
    for (const id of ['a0', 'a1', 'a2', 'a3']) {
      const delivery = add(id, { key: 'a' });
      expect(take()).toBe(id);
      intake.accept(delivery);
    }
  });

  test('a key whose messages went elsewhere is not waited for for ever', () => {
    const { intake, told, add, take } = setUp(ordered);
    const a0 = add('a0', { key: 'a' });
    take();
    intake.giveBack(a0, 0);
    add('a1', { key: 'a', at: 9999 });
    expect(told).toEqual(['-a0', '-a1']);
    add('a1', { key: 'a', at: 10_000 });
    expect(take(10_000)).toBe('a1');
  });

  test('what waited too long takes its successors with it', () => {
    const { told, add, take } = setUp(ordered);
    add('a0', { key: 'a', at: 0 });
    add('a1', { key: 'a', at: 900 });
    expect(take(1001)).toBeUndefined();
    expect(told).toEqual(['-a0', '-a1']);
  });

  test('all that waits can be given back, and the one that is in hand still holds its key', () => {
    const { intake, told, add, take } = setUp(ordered);
    const a0 = add('a0', { key: 'a' });
    take();
    add('a1', { key: 'a' });
    add('b0', { key: 'b' });
    add('b1', { key: 'b' });
    intake.giveBackWaiting(0);
    expect(told).toEqual(['-b0', '-b1', '-a1']);
    expect(intake.waiting).toBe(0);
    add('a1', { key: 'a' });
    add('b0', { key: 'b' });
    expect([take(), take()]).toEqual(['b0', undefined]);
    intake.accept(a0);
    expect(take()).toBe('a1');
  });

  test('a message that is given up keeps no other', () => {
    const { intake, told, add, take } = setUp(ordered);
    const a0 = add('a0', { key: 'a' });
    add('a1', { key: 'a' });
    take();
    intake.giveUp(a0);
    expect(told).toEqual(['-a0']);
    expect(take()).toBe('a1');
  });
});
