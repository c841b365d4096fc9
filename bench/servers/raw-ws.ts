import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { createEventServer, listen } from './event-server.ts';
import { type IncomingEvent, roomOf, roomsOf } from './incoming-event.ts';
import { Rooms } from './rooms.ts';

/** `ws` as its documentation shows it: a loop over clients, each with `send`. */
const rooms = new Rooms<WebSocket>();
const server = createEventServer(send);
const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket, request) => {
  const names = roomsOf(new URL(request.url ?? '/', 'http://localhost').searchParams);
  rooms.join(socket, names);
  socket.on('close', () => rooms.leave(socket, names));
  socket.on('error', () => socket.terminate());
  socket.send('ready');
});

function send(event: IncomingEvent): void {
  const text = JSON.stringify([event.stream, event.data, event.attributes]);
  for (const socket of rooms.in(roomOf(event))) if (socket.readyState === socket.OPEN) socket.send(text);
}

await listen(server, send);
