/** Where the RabbitMQ is that all tests share. It is never stopped, and nothing in it is anybody else's. */
export const amqpUrl = process.env['AMQP_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672';

/** The same broker by another way. */
export function amqpUrlAt(port: number): string {
  const url = new URL(amqpUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return url.href;
}
