import { Server } from 'socket.io';
import { createEventServer, listen } from './event-server.ts';
import { type IncomingEvent, roomOf, roomsOf } from './incoming-event.ts';
import { createTokenCheck } from './token-check.ts';

/** Socket.IO as its documentation shows it: rooms, `io.to(room).emit`, nothing changed but that there is no polling. */
const server = createEventServer(emit);
const io = new Server(server, { transports: ['websocket'], serveClient: false });
const isTokenFine = await createTokenCheck(process.env['BENCH_PEM_FILE']);

if (isTokenFine) {
  io.use((socket, next) => {
    isTokenFine(String(socket.handshake.auth['token'])).then(
      () => next(),
      (error: Error) => next(error),
    );
  });
}
io.on('connection', (socket) => {
  void socket.join([...roomsOf(new URLSearchParams(socket.handshake.query as Record<string, string>))]);
});

function emit(event: IncomingEvent): void {
  io.to(roomOf(event)).emit(event.stream, event.data, event.attributes);
}

await listen(server, emit);
