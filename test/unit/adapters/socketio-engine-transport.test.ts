import { Writable } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import { describe, expect, test } from 'vitest';
import { writeFrames } from '../../../src/adapters/outbound/socketio/engine-transport.ts';
import { textFrame } from '../../../src/adapters/outbound/text-frame.ts';

const frames = ['42["a"]', '42["b"]'].map(textFrame);

/** As much of an Engine.IO socket as frames are written to. */
function engineWith({ transport = 'websocket', waiting = 0, readyState = 1 }) {
  const direct: Buffer[] = [];
  const calls = { writes: 0, written: 0 };
  const handedOver: unknown[] = [];
  const _socket = new Writable({
    writev(chunks, done) {
      calls.writes += 1;
      direct.push(...chunks.map(({ chunk }) => chunk as Buffer));
      done();
    },
  });
  const engineSocket = {
    transport: { name: transport, socket: { OPEN: 1, readyState, _socket } },
    writeBuffer: Array.from({ length: waiting }, () => ({})),
    write: (packet: string, { wsPreEncodedFrame }: { wsPreEncodedFrame: Buffer[] }, written?: () => void) => {
      handedOver.push([packet, wsPreEncodedFrame]);
      written?.();
    },
  };
  const write = () => writeFrames(engineSocket as unknown as EngineSocket, frames, () => (calls.written += 1));
  return { write, direct, handedOver, calls, finished: () => new Promise((resolve) => _socket.end(resolve)) };
}

const asPackets = frames.map((frame, index) => [index === 0 ? '2["a"]' : '2["b"]', [frame]]);

describe('frames', () => {
  test('go to an open WebSocket at once, all in one write', async () => {
    const engine = engineWith({});
    engine.write();
    await engine.finished();
    expect(engine.direct).toEqual(frames);
    expect([engine.handedOver, engine.calls]).toEqual([[], { writes: 1, written: 1 }]);
  });

  test('never overtake a packet of Engine.IO that is yet to be sent', async () => {
    const engine = engineWith({ waiting: 1 });
    engine.write();
    await engine.finished();
    expect([engine.direct, engine.handedOver, engine.calls.written]).toEqual([[], asPackets, 1]);
  });

  test('are left to Engine.IO while the client polls', async () => {
    const engine = engineWith({ transport: 'polling' });
    engine.write();
    await engine.finished();
    expect([engine.direct, engine.handedOver, engine.calls.written]).toEqual([[], asPackets, 1]);
  });

  test('go nowhere once the WebSocket is closing', async () => {
    const engine = engineWith({ readyState: 2 });
    engine.write();
    await engine.finished();
    expect([engine.direct, engine.handedOver, engine.calls.written]).toEqual([[], [], 0]);
  });
});
