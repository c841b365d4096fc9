import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import type { HealthSettings } from './websocket-settings.ts';

/** As the original answers a preflight (brainlife section 1). */
const allowedMethods = 'GET,HEAD,PUT,PATCH,POST,DELETE';

/**
 * `GET /health` of brainlife's event service (brainlife section 2): always 200, and only with the broker gone something
 * else than `ok` in it. Returns what takes the routes away again.
 */
export function answerHealth(surface: HttpSurface, settings: HealthSettings, isConnected: () => boolean): () => void {
  const removals = settings.paths.map((path) =>
    surface.onRequest(path, (request, response) => {
      const [asked = ''] = (request.url ?? '').split('?');
      allowOrigin(settings.corsOrigins, request, response);
      if (request.method === 'OPTIONS') {
        response.writeHead(204, { 'Access-Control-Allow-Methods': allowedMethods }).end();
      } else if (asked.replace(/\/$/, '') !== path.replace(/\/$/, '')) {
        response.writeHead(404).end();
      } else if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { Allow: 'GET, HEAD, OPTIONS' }).end();
      } else {
        const body = JSON.stringify(healthOf(settings, isConnected()));
        response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
        response.end(body);
      }
    }),
  );
  return () => {
    for (const remove of removals) remove();
  };
}

const healthOf = ({ connectedField, disconnectedMessage }: HealthSettings, isConnected: boolean) => ({
  status: isConnected ? 'ok' : 'failed',
  [connectedField]: isConnected,
  message: isConnected ? 'all good' : disconnectedMessage,
});

function allowOrigin(origins: readonly string[], request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  if (origins.includes('*')) {
    response.setHeader('Access-Control-Allow-Origin', '*');
  } else if (origins.length > 0) {
    response.setHeader('Vary', 'Origin');
    if (origin !== undefined && origins.includes(origin)) response.setHeader('Access-Control-Allow-Origin', origin);
  }
}
