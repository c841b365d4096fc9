import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { tlsFault, tlsFileFault } from './listen-fault.ts';
import type { ListenSettings, TlsSettings } from './listen-settings.ts';

/** All headers of a request together, the request line with its query included. Node answers 431 beyond it. */
export const headerBytesMax = 16_384;

/** How often Node looks for connections that are past their time limit. */
const limitCheckIntervalMs = 1000;
const tlsHandshakeTimeoutMs = 10_000;
/** A peer that is gone without a word is noticed by TCP probes. */
const tcpProbeAfterMs = 60_000;

/** True for the one protocol that connections are handed over to. */
export const isWebSocketUpgrade = (upgrade: string | undefined): boolean => upgrade?.toLowerCase() === 'websocket';

/** A request with two hosts means different things to whoever reads it (RFC 9112 section 3.2). Node takes the first. */
export function hasSeveralHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  // Names and values in turn. The headers by name are made when they are asked for, and here all of it for one name.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

/**
 * A server of Node's with every limit named. Throws a `Fault` for TLS files that cannot be used.
 *
 * @param section where the settings stand in the config.
 */
export function createNodeServer(settings: ListenSettings, section: string, onRequest: RequestListener): Server {
  const options: ServerOptions = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: Math.max(settings.requestTimeoutMs, settings.headersTimeoutMs),
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(limitCheckIntervalMs, settings.headersTimeoutMs),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpProbeAfterMs,
    requireHostHeader: true,
    insecureHTTPParser: false,
    // Any other upgrade is ignored, as RFC 9110 section 7.8 allows, and the request is answered as usual.
    shouldUpgradeCallback: (request) => isWebSocketUpgrade(request.headers.upgrade),
  };
  const server = settings.tls
    ? createTlsServer(
        { ...options, ...tlsOptions(settings.tls, `${section}.tls`), handshakeTimeout: tlsHandshakeTimeoutMs },
        onRequest,
      )
    : createServer(options, onRequest);
  server.maxConnections = settings.connectionsMax;
  return server;
}

function tlsOptions(tls: TlsSettings, section: string) {
  const cert = read(tls.certificateFile, `${section}.certificateFile`);
  const key = read(tls.keyFile, `${section}.keyFile`);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw tlsFault(error, section);
  }
  return { cert, key, minVersion: tls.minVersion };
}

function read(file: string, setting: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw tlsFileFault(error, setting, file);
  }
}
