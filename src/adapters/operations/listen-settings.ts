import { z } from 'zod';
import { choiceFields } from '../settings-fields.ts';

const portNumber = z.number().int().min(0).max(65_535);
const hostText = z.string().min(1);
const timeoutMs = z.number().int().min(100).max(3_600_000);

const tlsSettings = z.strictObject({
  certificateFile: z.string().min(1).describe('PEM file with the certificate and its chain. Read at start.'),
  keyFile: z.string().min(1).describe('PEM file with the private key, without a passphrase. Read at start.'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('The oldest TLS version that is spoken.'),
});

const operationsSettings = z.strictObject({
  ...choiceFields,
  host: hostText.default('127.0.0.1').describe('Address of the operations listener.'),
  port: portNumber.describe('Port of the operations listener.'),
});

/** Where the gateway listens, and the limits of what it takes there. */
export const listenSettings = z
  .strictObject({
    host: hostText
      .default('127.0.0.1')
      .describe('Address to listen on. Only this machine by default; `0.0.0.0` or `::` is every interface.'),
    port: portNumber.default(8080).describe('Port to listen on; 0 takes any that is free.'),
    tls: tlsSettings.optional().describe('Speak HTTPS and WSS. Without it, TLS is the business of a proxy in front.'),
    operations: operationsSettings
      .optional()
      .describe(
        'Serve `/readyz` and `/metrics` there, and only there. `/healthz` is served on both. ' +
          'Without it they stand on the port that clients reach.',
      ),
    connectionsMax: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(20_000)
      .describe('Open TCP connections, of clients and HTTP callers together. One more is closed at once.'),
    headersTimeoutMs: timeoutMs
      .default(10_000)
      .describe('From the connection, or the end of the request before, to the last header (ms).'),
    requestTimeoutMs: timeoutMs.default(30_000).describe('The same to the end of the body (ms).'),
    keepAliveTimeoutMs: timeoutMs
      .default(65_000)
      .describe(
        'How long a connection without a request stays open (ms). Longer than that of a load balancer in front.',
      ),
  })
  .superRefine(({ host, port, operations }, context) => {
    if (!operations || port === 0 || operations.port !== port || operations.host !== host) return;
    const message = 'is the port of listen, on the same host; the operations listener needs one of its own';
    context.addIssue({ code: 'custom', path: ['operations', 'port'], message });
  });

export type ListenSettings = z.infer<typeof listenSettings>;
export type TlsSettings = z.infer<typeof tlsSettings>;
