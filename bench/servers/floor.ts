import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createEventServer, listen } from './event-server.ts';
import { type IncomingEvent, roomOf, roomsOf } from './incoming-event.ts';
import { Rooms } from './rooms.ts';
import { serverFrame } from './server-frame.ts';

/**
 * The floor: ready frames on bare TCP sockets, and nothing else. `single` writes each event by itself; `joined` writes
 * what a turn of the event loop has brought at once, in one buffer that all clients of a room share. It has no
 * back-pressure, no limits, no access rules: nothing that sends this many frames from Node can cost less.
 */
const isJoined = process.env['FLOOR'] === 'joined';
const rooms = new Rooms<Socket>();
const server = createEventServer(take);
const waiting = new Map<string, Buffer[]>();

server.on('upgrade', (request, stream) => {
  const socket = stream as Socket;
  const names = roomsOf(new URL(request.url ?? '/', 'http://localhost').searchParams);
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => rooms.leave(socket, names));
  socket.resume();
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(serverFrame('ready'));
  rooms.join(socket, names);
});

function take(event: IncomingEvent): void {
  const frame = serverFrame(JSON.stringify([event.stream, event.data, event.attributes]));
  const room = roomOf(event);
  if (isJoined) queue(room, frame);
  else write(room, frame);
}

function queue(room: string, frame: Buffer): void {
  if (waiting.size === 0) setImmediate(flush);
  const frames = waiting.get(room);
  if (frames) frames.push(frame);
  else waiting.set(room, [frame]);
}

function flush(): void {
  for (const [room, frames] of waiting) write(room, Buffer.concat(frames));
  waiting.clear();
}

function write(room: string, bytes: Buffer): void {
  for (const socket of rooms.in(room)) socket.write(bytes);
}

await listen(server, take);
