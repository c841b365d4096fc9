import { Agent, request } from 'node:http';
import { attributesOf, type HttpPlace, type Outgoing, type Publisher } from './publisher.ts';

/** `POST /v1/events` with a list of events, as Edgeward takes them; the peers in Node take the same. */
export function createHttpPublisher(place: HttpPlace): Publisher {
  const { port, token } = place;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    publish: (events) =>
      new Promise((resolve, reject) => {
        const body = `[${events.map((event) => itemText(place, event)).join(',')}]`;
        const options = {
          host: '127.0.0.1',
          port,
          path: '/v1/events',
          method: 'POST',
          agent,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        };
        const posted = request(options, (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => {
            text += part;
          });
          answer.on('end', () => {
            if (answer.statusCode === 202) resolve();
            else reject(new Error(`publishing was answered ${answer.statusCode}: ${text.slice(0, 300)}`));
          });
        });
        posted.on('error', reject);
        posted.end(body);
      }),
    async close() {
      agent.destroy();
    },
  };
}

const itemText = ({ stream, tenant }: HttpPlace, { target, payload }: Outgoing): string =>
  `{"stream":"${stream}","key":"all","attributes":${JSON.stringify(attributesOf(target, tenant))},"data":${payload}}`;
