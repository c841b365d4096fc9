import type { Server } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Observer } from '../../application/ports/observer.ts';
import { pathOf } from './path-table.ts';
import { problem, problemContentType, writeProblem } from './problem.ts';

/** What a route takes that names no limit of its own. */
const bodyBytesMaxDefault = 65_536;

/**
 * The routes of a server, and what is answered where there is none or one fails: problem documents that tell nothing of
 * the inside. Nothing is logged here, so that no URL with a token in it ever is.
 */
export function createHttpApp(server: Server, observer: Observer): FastifyInstance {
  const app = fastify({
    serverFactory: () => server,
    logger: false,
    trustProxy: false,
    requestIdHeader: false,
    bodyLimit: bodyBytesMaxDefault,
    exposeHeadRoutes: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false },
    clientErrorHandler: (error, socket) => {
      // An answer would wait for what has just taken too long.
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
      else writeProblem(socket, clientErrorStatus(error.code));
    },
    frameworkErrors: (_error, _request, reply) => void answer(reply, 400, 'The path of the URL is malformed.'),
  });
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    methodsOf.set(url, methods);
  });
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsOf.get(pathOf(request.url));
    if (!methods) return answer(reply, 404);
    return answer(reply.header('allow', [...methods].join(', ')), 405);
  });
  app.setErrorHandler((error, request, reply) => {
    const status = callerErrorStatus(error);
    if (status !== undefined) return answer(reply, status);
    observer.observe({ kind: 'request-failed', method: request.method, route: routeOf(request), error });
    return answer(reply, 500);
  });
  return app;
}

const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'none';

const answer = (reply: FastifyReply, status: number, detail?: string): FastifyReply =>
  reply.code(status).type(problemContentType).send(problem(status, detail));

/** The framework's own refusals carry a status; anything else that is thrown is ours to answer for. */
function callerErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined;
}

/** What Node's parser makes of a request that never becomes one. */
function clientErrorStatus(code: string): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}
