import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { livenessRoutes } from '../../src/adapters/operations/health-routes.ts';
import { createHttpApp } from '../../src/adapters/operations/http-app.ts';
import { createHttpListener } from '../../src/adapters/operations/http-listener.ts';
import { listenSettings } from '../../src/adapters/operations/listen-settings.ts';
import { startListener } from '../support/listener-fixture.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { testCertificate, testCertificateKey } from '../support/test-certificate.ts';

const otherKey = generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey;

/** A folder with the files, and settings that name them. */
function tlsFolder(certificate: string, key: string) {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'edgeward-tls-'));
  const certificateFile = join(folder.path, 'cert.pem');
  const keyFile = join(folder.path, 'key.pem');
  writeFileSync(certificateFile, certificate);
  writeFileSync(keyFile, key);
  return { settings: { tls: { certificateFile, keyFile } }, [Symbol.dispose]: () => folder.remove() };
}

describe('where it listens', () => {
  test('port 0 takes one that is free and tells it', async () => {
    await using fixture = await startListener();
    expect(fixture.address).toEqual({
      host: '127.0.0.1',
      port: expect.any(Number),
      url: `http://127.0.0.1:${fixture.address.port}`,
    });
    expect(fixture.address.port).toBeGreaterThan(0);
  });

  test('every interface is shown as this machine sees it', async () => {
    await using fixture = await startListener({ host: '0.0.0.0' });
    expect(fixture.address.url).toBe(`http://127.0.0.1:${fixture.address.port}`);
  });

  test('a port in use says so, and which setting to change', async () => {
    await using fixture = await startListener();
    await expect(startListener({ port: fixture.address.port })).rejects.toMatchObject({
      name: 'Fault',
      code: 'listen_port_in_use',
      disposition: 'stop',
      message:
        `Cannot listen on 127.0.0.1 port ${fixture.address.port}: the port is in use. ` +
        'Stop the program that has it, or choose another one with listen.port.',
    });
  });

  test('an address that this machine does not have says so', async () => {
    await expect(startListener({ host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'listen_host_unknown',
      message: expect.stringContaining('listen.host'),
    });
  });
});

describe('TLS', () => {
  test('is spoken with the certificate of the settings', async () => {
    using folder = tlsFolder(testCertificate, testCertificateKey);
    await using fixture = await startListener(folder.settings, undefined, [livenessRoutes]);
    expect(fixture.address.url).toBe(`https://127.0.0.1:${fixture.address.port}`);
    const [response] = await once(get(`${fixture.address.url}/healthz`, { rejectUnauthorized: false }), 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
  });

  test('someone who speaks plain HTTP is cut, and harms nobody', async () => {
    using folder = tlsFolder(testCertificate, testCertificateKey);
    await using fixture = await startListener(folder.settings, undefined, [livenessRoutes]);
    await using connection = await openRawConnection(fixture.address.port);
    connection.send('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await connection.closed).not.toContain('HTTP');
    const [response] = await once(get(`${fixture.address.url}/healthz`, { rejectUnauthorized: false }), 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
  });

  test('someone who does not agree on it in time is cut, though nothing can be written to them', async () => {
    const server = createServer();
    await using _app = createHttpApp(server, recordingObserver());
    const socket = new Duplex({ read: () => undefined, write: () => undefined });
    server.emit('clientError', Object.assign(new Error('too late'), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }), socket);
    expect(socket.destroyed).toBe(true);
  });

  test('closing ends connections without a request', async () => {
    using folder = tlsFolder(testCertificate, testCertificateKey);
    await using fixture = await startListener(folder.settings);
    const silent = connect({ host: '127.0.0.1', port: fixture.address.port, rejectUnauthorized: false });
    await once(silent, 'secureConnect');
    silent.on('error', () => undefined);
    const ended = once(silent, 'close');
    silent.resume();
    await fixture.listener.close(new AbortController().signal);
    await ended;
  });

  test.each([
    ['text that is no certificate', 'hello', testCertificateKey],
    ['the key of another certificate', testCertificate, otherKey],
    ['text that is no key', testCertificate, 'PRIVATE hello'],
  ])('%s is refused, and nothing of it is told', async (_what, certificate, key) => {
    using folder = tlsFolder(certificate, key);
    const attempt = startListener(folder.settings);
    await expect(attempt).rejects.toMatchObject({
      code: 'tls_invalid',
      disposition: 'stop',
      message: expect.stringMatching(/^The files of listen\.tls are no PEM certificate with its own PEM private key/),
    });
    await expect(attempt).rejects.not.toThrow(/hello/);
  });

  test('a file that is not there is named, with the setting that names it', async () => {
    using folder = tlsFolder(testCertificate, testCertificateKey);
    const { certificateFile } = folder.settings.tls;
    const settings = { tls: { certificateFile, keyFile: '/nowhere/key.pem' } };
    await expect(startListener(settings)).rejects.toMatchObject({
      code: 'tls_file_unreadable',
      message: 'Cannot read "/nowhere/key.pem", which listen.tls.keyFile names: ENOENT.',
    });
  });
});

test('a listener that never listened can be closed', async () => {
  const listener = createHttpListener({
    settings: listenSettings.parse({ port: 0 }),
    section: 'listen',
    observer: recordingObserver(),
  });
  await listener.close(new AbortController().signal);
});
