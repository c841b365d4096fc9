import { z } from 'zod';
import { accessSettings } from '../../settings-fields.ts';
import { originText, pathText, wholeNumber } from '../endpoint-fields.ts';
import { sendFields } from '../send-fields.ts';
import { protocolNames } from './hub-protocol.ts';

const milliseconds = (standard: number) => wholeNumber(100, 3_600_000).default(standard);

/** A hub for ASP.NET Core SignalR clients: `docs/signalr-protocol.md`. */
export const signalrSettings = z
  .strictObject({
    ...accessSettings,
    paths: z.array(pathText).min(1).default(['/hub']).describe('Paths of the hub, each also with a slash.'),
    method: z
      .string()
      .min(1)
      .default('ReceiveMessage')
      .describe('The method that clients are called with; Java’s client minds its case.'),
    argument: z
      .enum(['text', 'json'])
      .default('text')
      .describe(
        'The one argument of the method. `text`: the payload’s text as it is, in one string. `json`: what the payload ' +
          'means. A payload that is neither is a string in base64.',
      ),
    protocols: z
      .array(z.enum(protocolNames))
      .min(1)
      .default([...protocolNames])
      .describe('The hub protocols that clients may speak.'),
    negotiate: z
      .boolean()
      .default(true)
      .describe('Whether `POST PATH/negotiate` is answered, with WebSockets as the one transport; else it is 404.'),
    corsOrigins: z
      .array(originText)
      .default([])
      .describe(
        'Origins of pages that may connect, `*` for all. Where there are some, a page of any other origin gets 403; ' +
          'where there are none, no page of another origin may negotiate, and any may connect without that.',
      ),
    subscriptions: z
      .boolean()
      .default(false)
      .describe(
        'Whether clients may invoke `Subscribe` and `Unsubscribe` with other fields of the query: to be in the rooms of ' +
          'these as well, as far as they may.',
      ),
    streaming: z
      .boolean()
      .default(false)
      .describe('Whether clients may `stream("Stream")`: while they do, events come as its items.'),
    keepAliveMs: milliseconds(15_000).describe('A client that was sent nothing for so long is pinged (ms).'),
    clientTimeoutMs: milliseconds(30_000).describe(
      'A client that has pinged once, and is silent for so long since, is told to come back (ms).',
    ),
    handshakeTimeoutMs: milliseconds(15_000).describe('How long a client has for its handshake (ms).'),
    recordBytesMax: wholeNumber(256, 1_048_576)
      .default(32_768)
      .describe('A larger record of a client ends its connection.'),
    recordsPerSecondMax: wholeNumber(1, 1_000_000)
      .default(1000)
      .describe('How many records a client may send in a second; one more ends its connection, and it may come back.'),
    subscriptionsPerConnectionMax: wholeNumber(1, 100_000)
      .default(100)
      .describe('How many subscriptions a client may have at once (`subscriptions_too_many`), and how many streams.'),
    subscriptionsPerSecondMax: wholeNumber(1, 100_000)
      .default(20)
      .describe('How often a client may subscribe and unsubscribe in a second (`subscriptions_too_fast`).'),
    connectionsMax: wholeNumber(1, 1_000_000)
      .default(20_000)
      .describe('More connections than this are refused with 503; so are more negotiated ones that are still to come.'),
    negotiationsPerCallerMax: wholeNumber(1, 1_000_000)
      .default(1000)
      .describe(
        'More negotiated connections that are still to come than this, of one issuer and `sub`, are refused with 503.',
      ),
    ...sendFields,
  })
  .superRefine(({ keepAliveMs, clientTimeoutMs }, context) => {
    if (clientTimeoutMs > keepAliveMs) return;
    const message = 'must be longer than `keepAliveMs`: clients ping as rarely';
    context.addIssue({ code: 'custom', path: ['clientTimeoutMs'], message });
  });

export type SignalrSettings = z.infer<typeof signalrSettings>;
