import { describe, expect, onTestFinished, test } from 'vitest';
import type { Admission } from '../../src/application/ports/admission.ts';
import { eventually } from '../support/eventually.ts';
import { fakeCommandIo } from '../support/fake-command-io.ts';
import { freePort } from '../support/free-port.ts';
import { letIn } from '../support/relay-fixture.ts';
import { payloadOf, startHub } from '../support/signalr-fixture.ts';

/** Runs `tail --signalr` against a URL. */
function startTail(url: string, args: readonly string[] = []) {
  const cli = fakeCommandIo({ fetch });
  onTestFinished(() => cli.interrupt());
  return { ...cli, exit: cli.run('tail', '--url', url, '--token', 'given', '--signalr', ...args) };
}

const connected = (tail: { stderr(): string }, times = 1) =>
  eventually(() => expect(tail.stderr().match(/connected to/g)).toHaveLength(times));

test('prints what the hub calls it with, one event a line', async () => {
  const { httpUrl, deliver } = await startHub();
  const tail = startTail(httpUrl, ['/hub/', '--query', 'site=s 1', '--count', '3']);
  await connected(tail);
  deliver(payloadOf('{"id": 1}'), 's 1');
  deliver(payloadOf('plain'), 's 1');
  deliver(payloadOf('0'), 'r');
  deliver(payloadOf('[2]'), 's 1');
  deliver(payloadOf('3'), 's 1');
  expect(await tail.exit).toBe(0);
  const time = '2026-01-01T00:00:00.000Z';
  expect(tail.stdout()).toBe(
    `${time}  ReceiveMessage  {"id":1}\n${time}  ReceiveMessage  "plain"\n${time}  ReceiveMessage  [2]\n`,
  );
  expect(tail.stderr()).toBe(`edgeward: connected to ${httpUrl}/hub\n`);
});

test('presents its token in the header', async () => {
  const seen: (readonly string[])[] = [];
  const admit = async (
    connection: string,
    presented: { read(place: string): readonly string[] },
  ): Promise<Admission> => {
    seen.push(presented.read('header.authorization'));
    return letIn(connection);
  };
  const { httpUrl } = await startHub({}, { admit });
  await connected(startTail(httpUrl));
  expect(seen).toEqual([['Bearer given'], ['Bearer given']]);
});

describe('refusals', () => {
  const denied = (code: 'token_expired' | 'access_denied' | 'query_invalid'): Admission => ({
    kind: 'denied',
    denial: { code, reason: '' },
  });

  test.each([
    [denied('token_expired'), 'HTTP 401'],
    [denied('access_denied'), 'HTTP 403'],
    [denied('query_invalid'), 'HTTP 400'],
  ])('end it with 5 and say their status', async (admission, status) => {
    const { httpUrl } = await startHub({}, { admit: async () => admission });
    const tail = startTail(httpUrl);
    expect(await tail.exit).toBe(5);
    expect(tail.stderr()).toBe(`edgeward: ${httpUrl}/hub refuses the connection: ${status}.\n`);
  });

  test('no hub at the path is one', async () => {
    const { httpUrl } = await startHub();
    const tail = startTail(httpUrl, ['/nope']);
    expect(await tail.exit).toBe(5);
    expect(tail.stderr()).toContain('Is there a hub at this path');
  });

  test('"try later" is none: it comes back', async () => {
    let asked = 0;
    const admit = async (connection: string): Promise<Admission> => {
      asked += 1;
      return asked === 1 ? { kind: 'try-later', retryAfterMs: 1 } : letIn(connection);
    };
    const { httpUrl } = await startHub({}, { admit });
    const tail = startTail(httpUrl);
    await connected(tail);
    expect(tail.stderr()).toContain('the gateway cannot tell now; coming back in 1000 ms');
  });
});

test('a connection that is lost is made again', async () => {
  const { httpUrl, clock, deliver } = await startHub(
    {},
    { admit: async (connection) => letIn(connection, ['r'], clock.now() + 5000) },
  );
  const tail = startTail(httpUrl, ['--count', '1']);
  await connected(tail);
  clock.advance(5000);
  await connected(tail, 2);
  expect(tail.stderr()).toContain('connection lost (the server has closed the connection); connecting again');
  deliver(payloadOf('1'));
  expect(await tail.exit).toBe(0);
});

test('nobody there ends it with 4', async () => {
  const tail = startTail(`http://127.0.0.1:${await freePort()}`);
  expect(await tail.exit).toBe(4);
  expect(tail.stderr()).toContain('ECONNREFUSED');
});

test('an interruption ends it at once with 130', async () => {
  const { httpUrl, endpoint } = await startHub();
  const tail = startTail(httpUrl);
  await connected(tail);
  tail.interrupt();
  expect(await tail.exit).toBe(130);
  await eventually(() => expect(endpoint.connectionCount).toBe(0));
});
