import { z } from 'zod';
import { originText, pathText, wholeNumber } from '../endpoint-fields.ts';
import { sendFields } from '../send-fields.ts';

export const namespaceText = z.string().regex(/^\/[^?,\s]*$/, 'must begin with / and have no comma');

/**
 * How clients reach the engine. Endpoints with one path share one, each with a namespace of its own, and say the same of
 * all these.
 */
export const engineFields = {
  path: pathText.default('/socket.io/').describe('Path of the endpoint, which clients give as `path`.'),
  allowPolling: z
    .boolean()
    .default(false)
    .describe(
      'Whether clients may begin with HTTP long-polling, which they do unless told `transports: ["websocket"]`, and ' +
        'go on to WebSocket from there. With several instances their requests must stick to one.',
    ),
  pollingMsMax: wholeNumber(100, 3_600_000)
    .default(5000)
    .describe('How long a client may stay on polling before it is told to come back (ms).'),
  corsOrigins: z
    .array(originText)
    .default([])
    .describe(
      'Origins of pages whose polling a browser lets through, and with `spaces` their look at what was said; `*` for all.',
    ),
  pingIntervalMs: wholeNumber(100, 3_600_000).default(25_000).describe('How often a client is pinged (ms).'),
  pingTimeoutMs: wholeNumber(100, 3_600_000)
    .default(20_000)
    .describe('How long a client has to answer a ping before its connection ends (ms).'),
  connectTimeoutMs: wholeNumber(100, 3_600_000)
    .default(10_000)
    .describe('How long a connection may stand without being admitted (ms). Longer than `admissionMsMax`.'),
  frameBytesMax: wholeNumber(1024, 100_000_000)
    .default(100_000)
    .describe(
      'A larger message of a client ends its connection. What clients of `socketio` send is little more than their tokens.',
    ),
  connectionsMax: wholeNumber(1, 1_000_000)
    .default(20_000)
    .describe('More connections than this are refused (`connections_too_many`), and with 503 beyond twice as many.'),
  ...sendFields,
};

const engineSettings = z.strictObject(engineFields);
export type EngineSettings = z.infer<typeof engineSettings>;

/** What belongs to the engine and not to one of its endpoints. */
export const sharedEngineFields = [
  'allowPolling',
  'pollingMsMax',
  'corsOrigins',
  'pingIntervalMs',
  'pingTimeoutMs',
  'connectTimeoutMs',
  'frameBytesMax',
  'perMessageDeflate',
] as const satisfies readonly (keyof EngineSettings)[];

export function refineEngine(
  settings: EngineSettings & { readonly admissionMsMax: number },
  context: z.core.$RefinementCtx,
): void {
  if (settings.connectTimeoutMs <= settings.admissionMsMax) {
    const message = 'must be longer than `admissionMsMax`';
    context.addIssue({ code: 'custom', path: ['connectTimeoutMs'], message });
  }
}
