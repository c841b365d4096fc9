import { Writable } from 'node:stream';
import type { Socket as EngineSocket } from 'engine.io';
import { describe, expect, test } from 'vitest';
import { FrameRun } from '../../../src/adapters/outbound/frame-run.ts';
import { writeFrames } from '../../../src/adapters/outbound/socketio/engine-transport.ts';
import { textFrame } from '../../../src/adapters/outbound/text-frame.ts';

const frames = ['42["a"]', '42["b"]'].map(textFrame);
const run = frames.reduce<FrameRun | undefined>((before, frame) => new FrameRun(before, frame), undefined);

/** As much of an Engine.IO socket as frames are written to. */
function engineWith({ transport = 'websocket', waiting = 0, readyState = 1 }) {
  const direct: Buffer[] = [];
  const calls = { writes: 0, written: 0 };
  const handedOver: unknown[] = [];
  const _socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      calls.writes += 1;
      direct.push(chunk);
      done();
    },
  });
  const engineSocket = {
    transport: { name: transport, socket: { OPEN: 1, readyState, _socket, _extensions: {} } },
    writeBuffer: Array.from({ length: waiting }, () => ({})),
    write: (packet: string, { wsPreEncodedFrame }: { wsPreEncodedFrame: Buffer[] }, written?: () => void) => {
      handedOver.push([packet, wsPreEncodedFrame]);
      written?.();
    },
  };
  const pending = {
    written() {
      calls.written += 1;
    },
  };
  const write = () => run && writeFrames(engineSocket as unknown as EngineSocket, run, pending);
  return { write, direct, handedOver, calls, finished: () => new Promise((resolve) => _socket.end(resolve)) };
}

const asPackets = frames.map((frame, index) => [index === 0 ? '2["a"]' : '2["b"]', [frame]]);

describe('frames', () => {
  test('go to an open WebSocket at once, all in one write', async () => {
    const engine = engineWith({});
    // Written already: nobody need be told.
    expect(engine.write()).toBe(true);
    await engine.finished();
    expect(Buffer.concat(engine.direct)).toEqual(Buffer.concat(frames));
    expect([engine.handedOver, engine.calls]).toEqual([[], { writes: 1, written: 0 }]);
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
