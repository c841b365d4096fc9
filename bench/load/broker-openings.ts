import type { ClientSpec } from './client-spec.ts';
import { type Opening, ready, refused, say, wait } from './opening.ts';

/** What is published to, in every broker. */
export const subject = 'bench';

export const natsOpening = ({ payloadBytes }: ClientSpec): Opening => ({
  path: '/',
  first: [
    Buffer.from(
      `CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","protocol":1}\r\nSUB ${subject} 1\r\nPING\r\n`,
    ),
  ],
  next(payload) {
    const text = payload.toString();
    if (text.includes('PONG')) return ready;
    return text.includes('-ERR') ? refused(payload) : wait;
  },
  bytesPerEvent: `MSG ${subject} 1 ${payloadBytes}\r\n\r\n`.length + payloadBytes,
});

/** MQTT 3.1.1, sections 3.1 to 3.9. */
export const mqttOpening = ({ payloadBytes }: ClientSpec, index: number): Opening => ({
  path: '/mqtt',
  subprotocol: 'mqtt',
  first: [mqttConnect(`bench-${process.pid}-${index}`)],
  next(payload) {
    const type = (payload[0] ?? 0) >> 4;
    if (type === 2) return payload[3] === 0 ? say(mqttSubscribe(subject)) : refused(payload);
    return type === 9 ? ready : refused(payload);
  },
  bytesPerEvent: mqttPublish(subject, Buffer.alloc(payloadBytes)).length,
});

export const stompOpening = ({ user = '', password = '' }: ClientSpec): Opening => ({
  path: '/ws',
  subprotocol: 'v12.stomp',
  first: [
    stomp('CONNECT', { 'accept-version': '1.2', host: '/', login: user, passcode: password, 'heart-beat': '0,0' }),
  ],
  next(payload) {
    const text = payload.toString();
    if (text.startsWith('CONNECTED')) {
      return say(stomp('SUBSCRIBE', { id: '0', destination: `/exchange/amq.topic/${subject}`, receipt: 'ready' }));
    }
    return text.startsWith('RECEIPT') ? ready : text.startsWith('ERROR') ? refused(payload) : wait;
  },
});

const stomp = (command: string, headers: Readonly<Record<string, string>>): string =>
  `${command}\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')}\n\0`;

export const mqttConnect = (client: string): Buffer =>
  mqttPacket(0x10, Buffer.concat([mqttText('MQTT'), Buffer.from([4, 2, 0, 0]), mqttText(client)]));

const mqttSubscribe = (topic: string): Buffer =>
  mqttPacket(0x82, Buffer.concat([Buffer.from([0, 1]), mqttText(topic), Buffer.from([0])]));

export const mqttPublish = (topic: string, payload: Buffer): Buffer =>
  mqttPacket(0x30, Buffer.concat([mqttText(topic), payload]));

function mqttText(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

/** The length in groups of seven bits, the lowest first (section 2.2.3). */
function mqttPacket(type: number, body: Buffer): Buffer {
  const head = [type];
  let left = body.length;
  do {
    const more = left > 127 ? 0x80 : 0;
    head.push((left & 0x7f) | more);
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from(head), body]);
}
