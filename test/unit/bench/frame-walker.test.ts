import { expect, test } from 'vitest';
import { FrameWalker } from '../../../bench/load/frame-walker.ts';
import { serverFrame } from '../../../bench/servers/server-frame.ts';

const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_535), 'e'.repeat(65_536), 'f'];
const stream = Buffer.concat(texts.map(serverFrame));

function walked(
  pieces: readonly Buffer[],
  keepMax: number,
): readonly (readonly [number, number, string | undefined])[] {
  const frames: (readonly [number, number, string | undefined])[] = [];
  const walker = new FrameWalker(keepMax);
  for (const piece of pieces) {
    walker.walk(piece, { frame: (opcode, length, payload) => frames.push([opcode, length, payload?.toString()]) });
  }
  return frames;
}

const piecesOf = (bytes: number): readonly Buffer[] =>
  Array.from({ length: Math.ceil(stream.length / bytes) }, (_, index) =>
    stream.subarray(index * bytes, (index + 1) * bytes),
  );

test.each([1, 2, 3, 126, 131_072, 1_000_000])(
  'frames are counted whole, however the stream is cut: %i bytes',
  (bytes) => {
    expect(walked(piecesOf(bytes), 100_000)).toEqual(texts.map((text) => [1, text.length, text]));
  },
);

test('only short payloads are kept', () => {
  const kept = walked([stream], 125).map(([, , payload]) => payload);
  expect(kept).toEqual(['', 'a', texts[2], undefined, undefined, undefined, 'f']);
});

test('a server that masks its frames is refused', () => {
  expect(() => walked([Buffer.from([0x81, 0x81, 0, 0, 0, 0, 97])], 10)).toThrow('mask');
});
