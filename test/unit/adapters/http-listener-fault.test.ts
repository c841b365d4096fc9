import { describe, expect, test } from 'vitest';
import { listenFault } from '../../../src/adapters/operations/listen-fault.ts';
import { listenSettings } from '../../../src/adapters/operations/listen-settings.ts';

const failure = (code: string) => Object.assign(new Error(`listen ${code}: somewhere`), { code });

describe('a listener that cannot listen says what, where and what to do', () => {
  test.each([
    ['EADDRINUSE', 'listen_port_in_use', /the port is in use\. .* listen\.operations\.port/],
    ['EACCES', 'listen_not_permitted', /not permitted\. .* listen\.operations\.port/],
    ['EPERM', 'listen_not_permitted', /not permitted/],
    ['EADDRNOTAVAIL', 'listen_host_unknown', /no such address\. .* listen\.operations\.host/],
    ['EAFNOSUPPORT', 'listen_host_unknown', /no such address/],
    ['ENOTFOUND', 'listen_host_unknown', /no such address/],
    ['EWHATEVER', 'listen_failed', /listen EWHATEVER: somewhere/],
  ])('%s is %s', (code, faultCode, message) => {
    const error = failure(code);
    const fault = listenFault(error, { section: 'listen.operations', host: 'example.test', port: 9 });
    expect(fault).toMatchObject({ code: faultCode, disposition: 'stop', cause: error });
    expect(fault.message).toMatch(/^Cannot listen on example\.test port 9/);
    expect(fault.message).toMatch(message);
  });
});

test('by default a gateway listens for this machine only', () => {
  expect(listenSettings.parse({})).toEqual({
    host: '127.0.0.1',
    port: 8080,
    connectionsMax: 20_000,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
  });
});
