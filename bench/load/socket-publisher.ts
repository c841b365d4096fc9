import { once } from 'node:events';
import { createConnection } from 'node:net';
import { mqttConnect, mqttPublish, subject } from './broker-openings.ts';
import type { Publisher } from './publisher.ts';

/** NATS and MQTT (QoS 0) by hand, on a bare TCP connection: all events of a call in one write. */
export async function createSocketPublisher(kind: 'nats' | 'mqtt', port: number): Promise<Publisher> {
  const socket = createConnection({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  socket.setNoDelay(true);
  const packet = kind === 'nats' ? natsPublish : (payload: string) => mqttPublish(subject, Buffer.from(payload));
  socket.write(
    kind === 'nats'
      ? 'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n'
      : mqttConnect(`publisher-${process.pid}`),
  );
  await once(socket, 'data');
  socket.on('data', (data) => {
    if (kind === 'nats' && data.toString().startsWith('PING')) socket.write('PONG\r\n');
  });
  return {
    async publish(events) {
      socket.write(Buffer.concat(events.map(({ payload }) => packet(payload))));
    },
    async close() {
      socket.destroy();
    },
  };
}

const natsPublish = (payload: string): Buffer =>
  Buffer.from(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
