import { STATUS_CODES } from 'node:http';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isLoopbackHost } from '../secure-url.ts';
import type { DevelopmentIssuer } from './development-issuer.ts';

export type DevelopmentTokenOptions = {
  /**
   * Whether peers from elsewhere are answered too: for a container whose port is published on the loopback address
   * only. The `Host` must be loopback's all the same.
   */
  readonly exposed: boolean;
};

const path = '/v1/development/tokens';
const bodyBytesMax = 8192;
const name = z.string().min(1).max(256);

const requestBody = z.strictObject({
  tenant: name.optional(),
  businessUnit: name.optional(),
  workstation: name.optional(),
  user: name.optional(),
  roles: z.array(name).max(100).optional(),
  claims: z
    .record(z.string(), z.json())
    .refine((claims) => !['iss', 'iat', 'exp'].some((claim) => Object.hasOwn(claims, claim)), {
      message: '"iss" and "iat" are the issuer’s own, and "exp" follows from `expiresInMs`',
    })
    .optional(),
  expiresInMs: z.number().int().min(1000).max(86_400_000).optional(),
});

/**
 * `POST /v1/development/tokens` answers 201 `{token, expiresAt}` (milliseconds since the epoch), to this machine only:
 * the peer must be on loopback, the `Host` one of loopback's names (a web page elsewhere can point its own name here,
 * but not change what it is called), there must be no `Origin` of another site, and no proxy may have passed the request
 * on, since whom it speaks for is not known. 400 and 403 are problem documents.
 */
export const developmentTokenRoutes =
  (issuer: DevelopmentIssuer, { exposed }: DevelopmentTokenOptions): FastifyPluginAsync =>
  async (app) => {
    app.setErrorHandler((error, _request, reply) => {
      const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
      if (!(status >= 400 && status < 500)) throw error;
      return answerProblem(reply, status, 'The body must be a JSON object, sent as application/json.');
    });
    app.post(path, { bodyLimit: bodyBytesMax, onRequest: refuseStrangers(exposed) }, async (request, reply) => {
      const body = requestBody.safeParse(request.body);
      if (!body.success) return answerProblem(reply, 400, describe(body.error));
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(await issuer.issue(body.data));
    });
  };

const refuseStrangers = (exposed: boolean) => async (request: FastifyRequest, reply: FastifyReply) => {
  const stranger = strangeness(request, exposed);
  // A reply that is returned from a hook ends the request.
  return stranger === undefined ? undefined : answerProblem(reply, 403, stranger);
};

const isForwardingHeader = (name: string): boolean =>
  name.startsWith('x-forwarded-') || ['forwarded', 'via', 'x-real-ip'].includes(name);

function strangeness({ socket, headers }: FastifyRequest, exposed: boolean): string | undefined {
  if (!exposed && !isLoopbackHost(socket.remoteAddress ?? '')) return 'Development tokens are for this machine only.';
  if (!isOwnHost(`http://${headers.host ?? ''}`)) return 'The Host must be localhost or a loopback address.';
  const forwarding = Object.keys(headers).find(isForwardingHeader);
  if (forwarding !== undefined)
    return `Development tokens go through no proxy, and the header "${forwarding}" is of one.`;
  const { origin } = headers;
  if (origin !== undefined && !isOwnHost(origin)) return 'Pages of other sites get no development tokens.';
  return undefined;
}

function isOwnHost(url: string): boolean {
  const hostname = URL.parse(url)?.hostname ?? '';
  return isLoopbackHost(hostname);
}

function describe(error: z.ZodError): string {
  const problems = error.issues.map(({ path: place, message }) => `${place.join('.') || 'body'}: ${message}`);
  return `${problems.join('; ')}.`;
}

const answerProblem = (reply: FastifyReply, status: number, detail: string): FastifyReply =>
  reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .send({ title: STATUS_CODES[status] ?? 'Error', status, detail });
