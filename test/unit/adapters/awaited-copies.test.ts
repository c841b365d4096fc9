import { expect, test } from 'vitest';
import { AwaitedCopies } from '../../../src/adapters/outbound/socketio/awaited-copies.ts';
import type { Origin, SpacesPeer } from '../../../src/adapters/outbound/socketio/spaces-subscription.ts';

const peerNamed = (id: string) => ({ sender: { _id: id, type: 'user' } }) as unknown as SpacesPeer;
const originOf = (peer: SpacesPeer) => ({ subscription: { peer }, loopback: 'x' }) as unknown as Origin;

test('what is for one that has gone is forgotten, and what is for others is not', async () => {
  const copies = new AwaitedCopies();
  const [gone, here] = [peerNamed('gone'), peerNamed('here')];
  copies.add('1', originOf(gone), 10);
  copies.add('2', originOf(here), 10);
  copies.add('3', originOf(gone), 10);
  expect(copies.take('3')).toBeDefined();
  copies.forget(gone);
  copies.forget(gone);
  let isEmpty = false;
  const emptied = copies.emptied().then(() => {
    isEmpty = true;
  });
  expect([copies.take('1'), isEmpty]).toEqual([undefined, false]);
  expect(copies.take('2')?.subscription.peer).toBe(here);
  await emptied;
});
