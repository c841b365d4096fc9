import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { checksSettings } from '../../src/adapters/access/access-settings.ts';
import { createHttpCheck } from '../../src/adapters/access/http-check.ts';
import { Fault } from '../../src/application/fault.ts';
import type { CheckQuestion } from '../../src/application/ports/access-check.ts';
import type { CheckAnswer } from '../../src/domain/access-rule.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { stopServer } from '../support/stop-server.ts';

export const open = new AbortController().signal;
export const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl';

export type Answer = (response: ServerResponse, request: IncomingMessage) => unknown;

/** A real back-end on loopback that answers as it is told and remembers what it was asked. */
export async function startBackend(first: Answer) {
  let answer = first;
  const asked: { url: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', headers: request.headers });
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = () => stopServer(server);
  onTestFinished(stop);
  return {
    origin: `http://127.0.0.1:${port}`,
    asked,
    answerWith(next: Answer) {
      answer = next;
    },
    stop,
  };
}

export type Backend = Awaited<ReturnType<typeof startBackend>>;

export const status =
  (code: number, body = ''): Answer =>
  (response) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end(body);

export const questionOf = (
  project: string | string[] | undefined,
  more: Partial<CheckQuestion> = {},
): CheckQuestion => ({
  variables: new Map(project === undefined ? [] : [['project', project]]),
  tokens: new Map([['brainlife', token]]),
  ...more,
});

export function checkOf(backend: Backend, more: Record<string, unknown> = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const url = `${backend.origin}/event/checkaccess/project/{project}`;
  const { warehouse } = checksSettings.parse({ warehouse: { url, bearer: 'brainlife', ...more } });
  if (!warehouse) throw new Error('no settings');
  const check = createHttpCheck('warehouse', warehouse, { clock, observer });
  const outcome = async (question: CheckQuestion, signal = open): Promise<CheckAnswer | string> => {
    try {
      return await check.check(question, signal);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      expect([error.code, error.disposition]).toEqual(['check_unavailable', 'retry']);
      return error.message;
    }
  };
  const outcomes = () => observer.of('check-answered').map((each) => each.outcome);
  return { check, clock, observer, outcome, outcomes };
}

/** The words of brainlife.md for its checks. */
export const brainlife = { allow: "body.status == 'ok'", otherwise: 'deny' };
