import { once } from 'node:events';
import { expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** One socket of many: its spaces, and the messages that it got, by space and in order. */
type Face = {
  readonly socket: WebSocket;
  readonly spaces: readonly string[];
  readonly got: Map<string, string[]>;
  failed: number;
};

const spacesOf = (index: number, spaces: readonly string[]): readonly string[] =>
  [index, index * 7 + 1].map((each) => spaces[each % spaces.length] ?? '');

/**
 * Many sockets, spread over the gateways, in several spaces, two for each; every one of them says something in both of its own. Asserts that every
 * member gets every message of its spaces once, in one order, and nothing else.
 */
export async function crowdTalks(
  urls: readonly string[],
  token: (user: string) => string,
  size: { sockets: number; spaces: number; messages: number },
) {
  const spaces = Array.from({ length: size.spaces }, (_, index) => `space.${index}`);
  const faces: Face[] = [];
  const everybody = Array.from({ length: size.sockets }, (_, index) => index);
  // A few at a time: a listener takes as many as it may.
  for (let from = 0; from < everybody.length; from += 100) {
    const some = everybody.slice(from, from + 100);
    faces.push(
      ...(await Promise.all(
        some.map((index) => arrive(urls[index % urls.length] ?? '', token(`user-${index}`), spacesOf(index, spaces))),
      )),
    );
  }
  onTestFinished(() => {
    for (const { socket } of faces) socket.terminate();
  });
  const said = new Map<string, Set<string>>(spaces.map((space) => [space, new Set()]));
  for (let round = 0; round < size.messages; round += 1) {
    for (const [index, face] of faces.entries()) {
      for (const space of face.spaces) {
        const bodyText = `${index}/${round}`;
        said.get(space)?.add(bodyText);
        face.socket.send(`42/chat,${JSON.stringify(['SEND_MESSAGE', { content: { bodyText }, topicId: space }])}`);
      }
    }
  }
  const orders = new Map<string, readonly string[]>();
  await eventually(() => {
    for (const { got, spaces: own } of faces) {
      for (const space of own) expect(got.get(space)?.length ?? 0).toBeGreaterThanOrEqual(said.get(space)?.size ?? 0);
    }
  }, 40_000);
  for (const { got, spaces: own, failed } of faces) {
    expect(failed).toBe(0);
    expect([...got.keys()].toSorted()).toEqual([...new Set(own)].toSorted());
    for (const [space, texts] of got) {
      const order = orders.get(space) ?? texts;
      orders.set(space, order);
      expect(texts).toEqual(order);
      expect(new Set(texts)).toEqual(said.get(space));
      expect(texts).toHaveLength(said.get(space)?.size ?? 0);
    }
  }
}

async function arrive(url: string, token: string, spaces: readonly string[]): Promise<Face> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=3&transport=websocket&token=${token}`, {
    perMessageDeflate: false,
  });
  const face: Face = { socket, spaces, got: new Map(), failed: 0 };
  let subscribed = 0;
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    const frame = data.toString();
    if (frame === '40') socket.send('40/chat');
    else if (frame === '40/chat') {
      for (const space of new Set(spaces)) {
        socket.send(`42/chat,${JSON.stringify(['SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space } }])}`);
      }
    } else if (frame.startsWith('42/chat,["CHANNEL_SUBSCRIBED"')) {
      subscribed += 1;
      if (subscribed === new Set(spaces).size) resolve();
    } else if (frame.startsWith('42/chat,["MESSAGE_SENT"')) {
      const [, { topicId, content }] = JSON.parse(frame.slice('42/chat,'.length));
      const texts = face.got.get(topicId) ?? [];
      texts.push(content.bodyText);
      face.got.set(topicId, texts);
    } else if (frame.startsWith('42/chat,["SEND_MESSAGE_FAILED"')) face.failed += 1;
  });
  await once(socket, 'open');
  await settled;
  return face;
}
