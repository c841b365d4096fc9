import { createHash } from 'node:crypto';
import { bulkhead, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { z } from 'zod';
import { Fault } from '../../application/fault.ts';
import type { Clock } from '../../application/ports/clock.ts';
import { createAnswerMemory } from '../answer-memory.ts';
import { askAgainAfterMs, boundedFetch, type HttpAnswer, isOutage } from '../bounded-fetch.ts';
import { untilAborted } from '../until-aborted.ts';
import { introspectionUnavailable } from './identity-fault.ts';
import type { IntrospectionSettings } from './introspection-settings.ts';

/** What the issuer says of a token: its claims as they came, or that it is no token of its now. */
export type Introspected = { readonly active: false } | { readonly active: true; readonly text: string };

export type TokenIntrospection = {
  /**
   * Everybody who asks about one token at the same time shares a request; answers are remembered under a hash of it.
   * Rejects with a `Fault` (`introspection_unavailable`, `retry`) when there is no telling.
   */
  introspect(token: string, signal: AbortSignal): Promise<Introspected>;
};

/** The members that are looked at here (RFC 7662 section 2.2). */
const answerSchema = z.looseObject({ active: z.boolean(), exp: z.number().optional() });

/** @param kind of token, for the words of a fault. */
export function createTokenIntrospection(
  kind: string,
  settings: IntrospectionSettings,
  clock: Clock,
): TokenIntrospection {
  const breaker = new ConsecutiveBreaker(settings.failuresMax);
  const line = bulkhead(settings.concurrencyMax, settings.waitingMax);
  const circuit = circuitBreaker(handleAll, { breaker, halfOpenAfter: settings.pauseMs });
  const memory = createAnswerMemory<Introspected>(settings, clock);

  async function ask(token: string, isWanted: () => boolean): Promise<Introspected> {
    try {
      const said = await line.execute(() => {
        // Nobody hears of it.
        if (!isWanted()) throw introspectionUnavailable(kind, 'all who asked have gone');
        return circuit.execute(async () => {
          const answer = await post(kind, settings, token);
          const introspected = read(kind, answer);
          // What is about one token is no reason to ask about none.
          if (introspected instanceof Fault && isOutage(answer)) throw introspected;
          return introspected;
        });
      });
      if (said instanceof Fault) throw said;
      return said;
    } catch (error) {
      if (error instanceof Fault && error.code === 'http_unreachable')
        throw introspectionUnavailable(kind, error.message);
      if (error instanceof Fault) throw error;
      throw introspectionUnavailable(kind, 'it failed too often or is asked too much, so it is left alone for a while');
    }
  }

  return {
    async introspect(token, signal) {
      const key = createHash('sha256').update(token).digest('base64url');
      const remembered = memory.get(key);
      if (remembered) return remembered.value;
      const { answer, leave } = memory.share(key, undefined, (isWanted) => ask(token, isWanted));
      try {
        return await untilAborted(answer, signal, () => introspectionUnavailable(kind, 'it did not answer in time'));
      } finally {
        leave();
      }
    },
  };
}

/** RFC 6749 section 2.3.1: both are encoded as in a form before they are put together. */
const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);

function post(kind: string, settings: IntrospectionSettings, token: string): Promise<HttpAnswer> {
  const { url, clientId, clientSecret, timeoutMs, responseBytesMax } = settings;
  const credentials = Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString('base64');
  return boundedFetch(url, {
    subject: `what the issuer of "${kind}" says of a token`,
    headers: { accept: 'application/json', authorization: `Basic ${credentials}` },
    form: new URLSearchParams({ token, token_type_hint: 'access_token' }),
    timeoutMs,
    bytesMax: responseBytesMax,
  });
}

/** Any other answer than 200 is about the gateway's own credentials or the issuer's trouble (section 2.3). */
function read(kind: string, given: HttpAnswer): Introspected | Fault {
  const { status, text } = given;
  const nothing = (reason: string) => introspectionUnavailable(kind, reason, askAgainAfterMs(given));
  if (status !== 200) return nothing(`it answers with status ${status}`);
  const answer = answerSchema.safeParse(parsed(text));
  if (!answer.success) return nothing('its answer is none of RFC 7662');
  return answer.data.active ? { active: true, text } : { active: false };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
