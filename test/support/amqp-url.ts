import { inject } from 'vitest';

/** Where the RabbitMQ is that all tests share; empty where there is none. It is never stopped, and nothing in it is anybody else's. */
export const amqpUrl = inject('amqpUrl');

/** The same broker by another way. */
export function amqpUrlAt(port: number): string {
  const url = new URL(amqpUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href;
}
