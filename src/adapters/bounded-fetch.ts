import { Fault } from '../application/fault.ts';

export type HttpAnswer = { readonly status: number; readonly text: string };

/** Whether it says that nobody would get an answer now, whatever is asked. Other statuses are about the question. */
export const isOutage = ({ status }: Pick<HttpAnswer, 'status'>): boolean => status >= 500 || status === 429;

/**
 * Who has answered is not asked the same at once (milliseconds): it would say the same. A proxy that reaches nobody is no
 * answer.
 */
export const askAgainAfterMs = ({ status }: HttpAnswer): number | undefined =>
  status === 502 || status === 503 || status === 504 ? undefined : 1000;

export type BoundedRequest = {
  /** What is asked, in words for an operator: `the keys of "ocms"`. No URL, since one may hold a variable or a token. */
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A form to be posted. Without it the URL is read. */
  readonly form?: URLSearchParams | undefined;
  /** For the whole answer, body included. */
  readonly timeoutMs: number;
  /** After decompression. */
  readonly bytesMax: number;
};

/**
 * GETs or POSTs to a URL with Node's own client (kept-alive connections), without following redirects: a redirect is an answer like
 * any other. Rejects with a `Fault` (`http_unreachable`, `retry`) whose message holds no URL, header or body.
 */
export async function boundedFetch(url: string, request: BoundedRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(request.timeoutMs);
  try {
    const response = await send(url, {
      headers: request.headers,
      redirect: 'manual',
      signal,
      credentials: 'omit',
      ...(request.form ? { method: 'POST', body: request.form } : {}),
    });
    return { status: response.status, text: await readText(response, request.bytesMax) };
  } catch (error) {
    const reason = signal.aborted ? `no answer within ${request.timeoutMs} ms` : failureReason(error);
    throw new Fault('http_unreachable', 'retry', `${request.subject} cannot be had: ${reason}`);
  }
}

/** A kept-alive connection may have been closed just before; then the same question is put once on a new one. */
async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (!closedConnectionCodes.has(causeCode(error) ?? '')) throw error;
    return await fetch(url, init);
  }
}

const closedConnectionCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

class TooLarge extends Error {}

async function readText(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw ends the transfer.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new TooLarge(`the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Codes only (`ECONNREFUSED`, `CERT_HAS_EXPIRED`): the client's own messages quote hosts and headers. */
const failureReason = (error: unknown): string =>
  error instanceof TooLarge ? error.message : (causeCode(error) ?? 'the connection failed');

function causeCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
