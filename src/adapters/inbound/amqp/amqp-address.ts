import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';

/** One broker, as a URL names it. */
export type AmqpAddress = {
  readonly protocol: 'amqp' | 'amqps';
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  readonly heartbeatSeconds: number | undefined;
};

const ports = { amqp: 5672, amqps: 5671 };

/** @returns the address, or what is wrong with the text, which is never quoted: there is a password in it. */
export function parseAmqpUrl(text: string): Verdict<AmqpAddress> {
  const url = URL.parse(text);
  const protocol = url?.protocol.slice(0, -1);
  if (url === null || url.hostname === '' || (protocol !== 'amqp' && protocol !== 'amqps')) {
    return refused('must be a URL such as amqps://USER:PASSWORD@rabbitmq.example.com/VHOST');
  }
  const [vhost, username, password] = [decode(url.pathname.slice(1)), decode(url.username), decode(url.password)];
  if (vhost === undefined || username === undefined || password === undefined) {
    return refused('has a % that is no escape; in a user name, password or vhost it is written %25');
  }
  if (url.pathname.indexOf('/', 1) > 0) return refused('has more than a vhost in its path; / in a vhost is %2F');
  const heartbeat = heartbeatOf(url.searchParams);
  if (!heartbeat.ok) return heartbeat;
  return allowed({
    protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? ports[protocol] : Number(url.port),
    // What brokers have for connections from their own machine.
    username: username || 'guest',
    password: password || (username === '' ? 'guest' : ''),
    vhost: vhost || '/',
    heartbeatSeconds: heartbeat.value,
  });
}

function heartbeatOf(query: URLSearchParams): Verdict<number | undefined> {
  const { heartbeat, ...others } = Object.fromEntries(query);
  if (Object.keys(others).length > 0) return refused('may have "heartbeat" in its query and nothing else');
  if (heartbeat === undefined) return allowed(undefined);
  return /^\d{1,4}$/.test(heartbeat) ? allowed(Number(heartbeat)) : refused('has a heartbeat that is no whole number');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `host:port`, for people. */
export const shownAddress = ({ hostname, port }: AmqpAddress): string =>
  `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
