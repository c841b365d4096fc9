import { describe, expect, test } from 'vitest';
import { framePacket } from '../../../src/adapters/outbound/socketio/encoded-packet.ts';

describe('the frames of an encoded packet', () => {
  test('are one text frame of Engine.IO', () => {
    const framed = framePacket(['2["a"]']);
    expect(framed?.isText).toBe(true);
    expect(framed?.frames).toEqual(Buffer.from([0x81, 7, ...Buffer.from('42["a"]')]));
  });

  test('are those of the text and its attachments, in order', () => {
    const bytes = Uint8Array.of(0, 1, 2, 3, 4);
    const framed = framePacket(['51-["a"]', Buffer.from([9, 8]), bytes.subarray(1, 3), bytes.buffer]);
    expect(framed?.isText).toBe(false);
    expect(framed?.frames).toEqual(
      Buffer.from([0x81, 9, ...Buffer.from('451-["a"]'), 0x82, 2, 9, 8, 0x82, 2, 1, 2, 0x82, 5, 0, 1, 2, 3, 4]),
    );
  });

  test('are made for the bytes of another parser, too', () => {
    expect(framePacket([Buffer.from([7])])).toEqual({ frames: Buffer.from([0x82, 1, 7]), isText: false });
  });

  test.each([
    ['a blob', ['51-["a"]', new Blob(['b'])]],
    ['nothing', []],
    ['something else', [7]],
  ])('are not made for %s', (_, packet) => {
    expect(framePacket(packet)).toBeUndefined();
  });
});
