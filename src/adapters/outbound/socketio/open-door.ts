import type { Server as Engine } from 'engine.io';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import { refuseUpgrade } from '../refuse-upgrade.ts';
import { type HttpRefusal, hasSession, pollingRefusal, unavailable, upgradeRefusal } from './socketio-refusal.ts';

/**
 * Hands the engine what comes in on a path, and answers what it could only answer badly. Throws the surface's `Fault`
 * when the path is taken. Returns what takes the handlers away again.
 *
 * @param isOpen whether new connections are taken; those that exist go on in any case.
 */
export function openDoor(surface: HttpSurface, path: string, engine: Engine, isOpen: () => boolean): () => void {
  const refusalOf = (url: string): HttpRefusal | undefined => (isOpen() || hasSession(url) ? undefined : unavailable);

  const removeUpgrade = surface.onUpgrade(path, (request, socket, head) => {
    const url = request.url ?? '';
    const refusal = upgradeRefusal(url, engine.opts.allowEIO3 ?? false) ?? refusalOf(url);
    if (refusal) refuseUpgrade(socket, refusal.status, refusal.body, refusal.headers);
    else engine.handleUpgrade(request, socket, head);
  });
  const removeRequest = surface.onRequest(path, (request, response) => {
    const url = request.url ?? '';
    const refusal = pollingRefusal(url, engine.opts.allowEIO3 ?? false) ?? refusalOf(url);
    if (refusal) response.writeHead(refusal.status, { ...refusal.headers }).end(refusal.body);
    else engine.handleRequest(request, response);
  });
  return () => {
    removeUpgrade();
    removeRequest();
  };
}
