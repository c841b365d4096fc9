// A Hii Retail client, as that system's page shows it, which prints what it receives.
//
//   TOKEN=... node examples/hiiretail/client.mjs http://127.0.0.1:8080
//
// TOKEN: of OCMS or IAM. Beside one of OCMS, USER_TOKEN: of IAM. TOPICS, ROOMS, SESSION: lists with commas, and a text.
// In a project of your own: npm install socket.io-client
import { io } from 'socket.io-client';

const { TOKEN, USER_TOKEN, SESSION, TOPICS, ROOMS } = process.env;
const url = process.argv[2] ?? 'http://127.0.0.1:8080';

const socket = io(url, {
  transports: ['websocket'],
  auth: { token: TOKEN },
  query: {
    userToken: USER_TOKEN,
    sessionId: SESSION,
    topics: TOPICS?.split(','),
    additionalBusinessUnitRooms: ROOMS?.split(','),
  },
});

socket.on('connect', () => console.log('connected as', socket.id));
socket.on('disconnect', (reason) => console.log('disconnected:', reason));
socket.on('connect_error', (error) => console.error('refused:', error.message, error.data ?? ''));
socket.onAny((topic, data, meta) => console.log(topic, data, meta));
