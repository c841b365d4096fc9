// Receives events in Node with the stock Socket.IO client, from a running demo (`npm start`).
// In a project of your own: npm install socket.io-client
import { io } from 'socket.io-client';

const url = process.argv[2] ?? 'http://127.0.0.1:8080';

// The demo issues tokens to this machine; in production yours come from your issuer.
const answer = await fetch(`${url}/v1/development/tokens`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ tenant: 'demo', roles: ['edgeward.client'] }),
}).catch((error) => giveUp(error.cause?.code ?? error.message));
if (answer.status !== 201) giveUp(`HTTP ${answer.status} ${await answer.text()}`);
const { token } = await answer.json();

const socket = io(url, { transports: ['websocket'], auth: { token } });
socket.on('connect', () => console.log('connected'));
socket.on('connect_error', (error) => console.error('refused:', error.message, error.data ?? ''));
socket.onAny((stream, data, meta) => console.log(stream, data, meta));

function giveUp(reason) {
  console.error(`No token from ${url}: is the demo running there (npm start)? ${reason}`);
  process.exit(1);
}
