import type { Event } from '../../../domain/event.ts';
import type { WebsocketSettings } from './websocket-settings.ts';

/** Encodes an event as the text of a WebSocket message. */
export type RelayEncoder = (event: Event) => string;

/** The exact content types of JSON; a parameter makes it another one (brainlife section 4). */
const jsonContentTypes: ReadonlySet<string | undefined> = new Set(['application/json', 'text/json']);

/** In the order in which node-amqp 0.2.7 has them. */
const basicProperties = [
  'contentType',
  'contentEncoding',
  'headers',
  'deliveryMode',
  'priority',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'timestamp',
  'type',
  'userId',
  'appId',
] as const;

type DeliveryInfo = Record<string, unknown>;
type Body = { readonly msg: string; readonly rawData?: string };

/** `{"headers":…,"dinfo":…,"msg":…}`, as brainlife's event service makes it (brainlife section 4). */
export function createRelayEncoder({ payload }: Pick<WebsocketSettings, 'payload'>): RelayEncoder {
  const bodyOf = payload === 'json' ? anyBody : bodyByContentType;
  const deliveryInfoOf = createDeliveryInfo();
  return (event) => {
    const { headers, info } = deliveryInfoOf(event);
    const { msg, rawData } = bodyOf(event);
    // The original puts its exception there, of which JSON shows nothing.
    const dinfo = rawData === undefined ? info : { ...info, parseError: {}, rawData };
    return `{"headers":${JSON.stringify(headers)},"dinfo":${JSON.stringify(dinfo)},"msg":${msg}}`;
  };
}

/** An event that an AMQP broker delivered has its properties; those of other sources are made to look the same. */
function createDeliveryInfo() {
  const lastTags = new Map<string, number>();
  return (event: Event): { readonly headers: unknown; readonly info: DeliveryInfo } => {
    const { source, properties } = event.origin;
    const isAmqp = typeof properties['routingKey'] === 'string';
    if (isAmqp) return { headers: properties['headers'] ?? {}, info: infoOf(properties, properties) };
    const tag = (lastTags.get(source) ?? 0) + 1;
    lastTags.set(source, tag);
    const basic = {
      contentType: event.contentType,
      messageId: event.id,
      timestamp: Math.floor(event.publishedAt / 1000),
    };
    const delivery = {
      queue: source,
      deliveryTag: tag,
      redelivered: properties['redelivered'] === true,
      exchange: event.stream,
      routingKey: event.key,
      consumerTag: `edgeward-${source}`,
    };
    return { headers: Object.fromEntries(event.attributes), info: infoOf(basic, delivery) };
  };
}

type Properties = Readonly<Record<string, unknown>>;

function infoOf(basic: Properties, delivery: Properties): DeliveryInfo {
  const info: DeliveryInfo = {};
  for (const name of basicProperties) if (basic[name]) info[name] = basic[name];
  const { queue, deliveryTag, redelivered, exchange, routingKey, consumerTag } = delivery;
  const tag = Buffer.alloc(8);
  tag.writeBigUInt64BE(BigInt(typeof deliveryTag === 'number' ? deliveryTag : 0));
  return Object.assign(info, { queue, deliveryTag: tag, redelivered, exchange, routingKey, consumerTag });
}

function bodyByContentType(event: Event): Body {
  return jsonContentTypes.has(event.contentType) ? jsonBody(event) : bytesBody(event);
}

const anyBody = (event: Event): Body => {
  const json = event.jsonText();
  return json === null ? bytesBody(event) : { msg: json };
};

/** Bytes that are no UTF-8 are replaced, as the original does, and may be JSON then. */
function jsonBody(event: Event): Body {
  const json = event.jsonText();
  if (json !== null) return { msg: json };
  const text = bufferOf(event).toString('utf8');
  return isJson(text) ? { msg: text } : { msg: 'null', rawData: text };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** `{"data":{"type":"Buffer","data":[…]}}`, with the content type where there is one. */
const bytesBody = (event: Event): Body => ({
  msg: JSON.stringify({ data: bufferOf(event), contentType: event.contentType }),
});

const bufferOf = ({ payload }: Event): Buffer => Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
