import { createHash } from 'node:crypto';
import { bulkhead, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { Fault } from '../../application/fault.ts';
import type { CheckQuestion } from '../../application/ports/access-check.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { Observer } from '../../application/ports/observer.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { createAnswerMemory } from '../answer-memory.ts';
import { askAgainAfterMs, boundedFetch, type HttpAnswer, isOutage } from '../bounded-fetch.ts';
import { untilAborted } from '../until-aborted.ts';
import { fillUrlTemplate, parseUrlTemplate, type UrlTemplate } from '../url-template.ts';
import { checkFault, checkUnavailable, isOpenCircuit } from './access-fault.ts';
import type { QuestionSettings } from './access-settings.ts';
import { fillHeaders } from './header-template.ts';

export type AccessDependencies = { readonly clock: Clock; readonly observer: Observer };

/** What the expressions about an answer read. */
export type AnswerScope = { readonly status: number; readonly body: unknown };

/** What an answer means; `outcome` is what is observed. A text says why it means nothing. */
export type Interpretation<T> = { readonly value: T; readonly outcome: 'allow' | 'deny' } | string;

export type HttpQuestion<T> = {
  /**
   * The meaning of the answer, from memory where it is there. Refused when the question cannot be put, since a variable
   * or the token is absent. Rejects with a `Fault` (`check_unavailable`, `retry`) when there is no telling.
   */
  ask(question: CheckQuestion, signal: AbortSignal): Promise<Verdict<T>>;
};

/** All who asked have gone before it was their turn. */
class Abandoned extends Error {}

type Request = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

/**
 * Puts a question over HTTP: equal ones that are asked at the same time share one request, which no single asker can
 * end, and which is not made when all have gone before its turn; answers are remembered under a hash of URL and token;
 * after some failures in a row nobody is asked for a while. An answer that means nothing is no such failure, unless it
 * tells of an outage: else whoever finds a question that cannot be answered would end the asking for everybody.
 */
export function createHttpQuestion<T extends boolean | readonly string[]>(
  name: string,
  settings: QuestionSettings,
  interpret: (answer: AnswerScope) => Interpretation<T>,
  { clock, observer }: AccessDependencies,
): HttpQuestion<T> {
  const template = templateOf(name, settings.url);
  const breaker = new ConsecutiveBreaker(settings.failuresMax);
  // The line stands in front of the circuit, so that those who wait fail at once when that opens.
  const line = bulkhead(settings.concurrencyMax, settings.waitingMax);
  const circuit = circuitBreaker(handleAll, { breaker, halfOpenAfter: settings.pauseMs });
  const memory = createAnswerMemory<T>(settings, clock);

  async function request({ url, headers }: Request, isWanted: () => boolean): Promise<T> {
    try {
      const meaning = await line.execute(() => {
        if (!isWanted()) throw new Abandoned();
        return circuit.execute(async () => {
          const answer = await send(name, settings, url, headers);
          const interpretation = interpret(answerScope(answer));
          if (typeof interpretation !== 'string') return interpretation;
          const fault = checkUnavailable(name, interpretation, askAgainAfterMs(answer));
          if (isOutage(answer)) throw fault;
          return fault;
        });
      });
      if (meaning instanceof Fault) throw meaning;
      const { value, outcome } = meaning;
      observer.observe({ kind: 'check-answered', check: name, outcome });
      return value;
    } catch (error) {
      // Nobody hears of it.
      if (error instanceof Abandoned) throw error;
      const outcome = isOpenCircuit(error) ? 'open-circuit' : 'failed';
      const fault = checkFault(name, error);
      observer.observe({ kind: 'check-answered', check: name, outcome, error: fault });
      throw fault;
    }
  }

  return {
    async ask(question, signal) {
      const asked = requestOf(template, settings, question);
      if (!asked.ok) return asked;
      const key = keyOf(asked.value);
      const give = (answer: Promise<T>) =>
        untilAborted(answer, signal, () => checkUnavailable(name, 'it did not answer in time'));
      // Nor is a request shared that was made before the question.
      if (question.fresh) return allowed(await give(request(asked.value, () => !signal.aborted)));
      const remembered = memory.get(key);
      if (remembered) {
        observer.observe({ kind: 'check-answered', check: name, outcome: 'cached' });
        return allowed(remembered.value);
      }
      const { answer, leave } = memory.share(key, question.expiresAt, (isWanted) => request(asked.value, isWanted));
      try {
        return allowed(await give(answer));
      } finally {
        leave();
      }
    },
  };
}

function templateOf(name: string, url: string): UrlTemplate {
  const template = parseUrlTemplate(url);
  if (template.ok) return template.value;
  throw new TypeError(`the URL of "${name}" ${template.reason}`);
}

function requestOf(template: UrlTemplate, settings: QuestionSettings, question: CheckQuestion): Verdict<Request> {
  const url = fillUrlTemplate(template, question.variables);
  if (!url.ok) return url;
  const headers = fillHeaders(settings.headers, question.variables);
  if (!headers.ok) return headers;
  if (settings.bearer === undefined) return allowed({ url: url.value, headers: headers.value });
  const kind = settings.bearer === '*' ? question.tokens.keys().next().value : settings.bearer;
  const token = kind === undefined ? undefined : question.tokens.get(kind);
  if (kind === undefined || token === undefined) return refused(`there is no token "${settings.bearer}"`);
  const authorization = `${settings.schemes[kind] ?? 'Bearer'} ${token}`;
  return allowed({ url: url.value, headers: { ...headers.value, authorization } });
}

/** No token and no URL is kept in memory for the cache's sake. */
const keyOf = ({ url, headers }: Request): string =>
  createHash('sha256')
    .update(JSON.stringify([url, headers]))
    .digest('base64url');

const send = (
  name: string,
  settings: QuestionSettings,
  url: string,
  headers: Request['headers'],
): Promise<HttpAnswer> =>
  boundedFetch(url, {
    subject: `the answer of "${name}"`,
    headers: { accept: 'application/json', ...headers },
    timeoutMs: settings.timeoutMs,
    bytesMax: settings.responseBytesMax,
  });

function answerScope({ status, text }: HttpAnswer): AnswerScope {
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    return { status, body: null };
  }
}
