import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import type { CommandIo, Complaint } from './command-io.ts';

const answerTimeoutMs = 15_000;

/** A body up to this long leaves in one piece: if the connection ends then, the gateway has gone. */
const singlePieceCharactersMax = 16_384;

export type GatewayRequest = {
  /** As the user gave it. */
  readonly gateway: URL;
  readonly url: string;
  /** JSON text. */
  readonly body: string;
  readonly token?: string | undefined;
};

export type GatewayAnswer = {
  readonly status: number;
  /** The parsed body where it is JSON. */
  readonly body: unknown;
  readonly retryAfter: string | undefined;
};

/** POSTs JSON. Refused when there is no answer, or none is heard because the gateway ends the connection meanwhile. */
export async function postJson(io: CommandIo, request: GatewayRequest): Promise<Verdict<GatewayAnswer, Complaint>> {
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  try {
    const response = await io.fetch(request.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
      },
      body: request.body,
      // The token is for this gateway only.
      redirect: 'manual',
      signal: AbortSignal.any([io.interrupted, timeout]),
    });
    const text = await response.text();
    const retryAfter = response.headers.get('retry-after') ?? undefined;
    return allowed({ status: response.status, body: parsed(text), retryAfter });
  } catch (error) {
    if (io.interrupted.aborted) return refused({ exit: 'interrupted', message: 'interrupted' });
    const reason = timeout.aborted ? `no answer within ${answerTimeoutMs / 1000} s` : reasonOf(error);
    const cutShort = request.body.length > singlePieceCharactersMax && /^(EPIPE|ECONNRESET)$/.test(reason);
    return refused(cutShort ? endedEarly(request.gateway, reason) : unreachable(request.gateway, reason));
  }
}

export const unreachable = (gateway: URL, reason: string): Complaint => ({
  exit: 'unreachable',
  message:
    `Cannot reach ${shown(gateway)}: ${reason}. ` +
    'Is the gateway running there? "edgeward start" starts one; --url names another.',
});

/** Its answer, such as 413, is lost with the connection when the body is still under way. */
const endedEarly = (gateway: URL, reason: string): Complaint => ({
  exit: 'refused',
  message:
    `${shown(gateway)} ended the connection before the whole event was sent (${reason}). ` +
    'The event is probably larger than the "bodyBytesMax" of its HTTP source.',
});

/** A URL as people write it. */
export const shown = (gateway: URL): string => gateway.href.replace(/\/$/, '');

/** What a problem document (RFC 9457) says, or the status of any other answer; without a full stop. */
export function explain({ status, body }: GatewayAnswer): string {
  const { title, code, detail } = textsOf(body);
  const head = `HTTP ${status}${title === undefined ? '' : ` ${title}`}${code === undefined ? '' : ` (${code})`}`;
  return [head, detail?.replace(/\.$/, ''), ...errorsOf(body)].filter((part) => part !== undefined).join(': ');
}

type Texts = Readonly<Record<string, string | undefined>>;

/** The members of a JSON object that are text. */
function textsOf(value: unknown): Texts {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, member]) => typeof member === 'string'));
}

/** What is wrong with the one event that was sent: `errors` of the HTTP source, as `/path message`. */
function errorsOf(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || !('errors' in body) || !Array.isArray(body.errors)) return [];
  const errors: readonly Texts[] = body.errors.map(textsOf);
  const described = errors.map(({ path, message }) => [path, message].filter(Boolean).join(' '));
  return described.length === 0 ? [] : [described.join('; ')];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node's client hides why behind its "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
