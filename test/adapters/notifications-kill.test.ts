import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createSqliteNotifications } from '../../src/adapters/store/sqlite-notifications.ts';
import { wish } from '../contracts/notification-store-contract.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpUrl } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { type SmtpBehavior, smtpFixture } from '../support/smtp-fixture.ts';
import { stopServer } from '../support/stop-server.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';

const program = new URL('../support/notification-process.ts', import.meta.url).pathname;

/** Where a process is killed, how many mails have been accepted by then, and what is stored. */
type Killing = {
  readonly when: string;
  /** By itself, around what its store does. */
  readonly step?: string;
  /** By the mail server, when this is said to it; it takes nothing from somebody who is not there any more. */
  readonly smtp?: keyof SmtpBehavior;
  /** While the directory is asked. */
  readonly atLookUp?: boolean;
  readonly mails: number;
  readonly stored: { readonly state: string; readonly attempts: number };
};

/** Every step there is, in order. Each process finds what the one before it has left, and goes one step further. */
const schedule: readonly Killing[] = [
  { when: 'before the match is stored', step: 'match before', mails: 0, stored: { state: 'waiting', attempts: 0 } },
  {
    when: 'after the match is stored, before the message is accepted',
    step: 'match after',
    mails: 0,
    stored: { state: 'matched', attempts: 0 },
  },
  { when: 'before a try is written', step: 'begin before', mails: 0, stored: { state: 'matched', attempts: 0 } },
  {
    when: 'after a try is written, before it is made',
    step: 'begin after',
    mails: 0,
    stored: { state: 'sending', attempts: 1 },
  },
  { when: 'while the directory is asked', atLookUp: true, mails: 0, stored: { state: 'sending', attempts: 2 } },
  { when: 'when the mail server is called', smtp: 'atConnect', mails: 0, stored: { state: 'sending', attempts: 3 } },
  { when: 'at MAIL FROM', smtp: 'atMail', mails: 0, stored: { state: 'sending', attempts: 4 } },
  { when: 'at RCPT TO', smtp: 'atRecipient', mails: 0, stored: { state: 'sending', attempts: 5 } },
  { when: 'with the whole mail, before the 250', smtp: 'atData', mails: 0, stored: { state: 'sending', attempts: 6 } },
  // The one place where a second mail cannot be helped.
  {
    when: 'after the 250, before it is recorded',
    step: 'finish before',
    mails: 1,
    stored: { state: 'sending', attempts: 7 },
  },
  { when: 'after it is recorded', step: 'finish after', mails: 2, stored: { state: 'sent', attempts: 8 } },
];

// A dozen processes, one after the other.
const limitMs = 120_000;

testWithRabbitMq(
  'kill -9 at every step: nothing is lost, and nothing is doubled but in one place',
  { timeout: limitMs },
  async () => {
    await using admin = await amqpAdmin();
    await using smtp = await smtpFixture();
    await using folder = await mkdtempDisposable(join(tmpdir(), 'edgeward-kill-'));
    const exchange = await admin.exchange();
    const queue = admin.name('tasks');
    await using _queue = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteQueue(queue)) };
    const path = join(folder.path, 'n.sqlite');
    const config = { task: 't1', subject: 's', message: 'm' };
    const waiting = wish({ event: 'task.finished', config, createdAt: Date.now() });
    await store(path, (each) => each.add(waiting, 10));

    let child: ChildProcess | undefined;
    const kill = () => void child?.kill('SIGKILL');
    await using _child = { [Symbol.asyncDispose]: async () => kill() };
    let isAsked: 'kill' | 'answer' = 'answer';
    await using directory = await serve((answer) => (isAsked === 'kill' ? kill() : answer()));
    const settings = JSON.stringify({
      amqp: {
        urls: [amqpUrl],
        queues: [queue],
        declare: { [queue]: { bindings: [{ exchange }] } },
        onDeadLetter: 'discard',
      },
      notifications: {
        source: 'tasks',
        credentials: [{ from: 'header.authorization', accepts: ['x'] }],
        rules: [{ event: 'task.{payload.status}', user: '{payload.user}', anyOf: { task: '{payload.task}' } }],
        store: path,
        handlers: { email: { url: smtp.url, from: 'a@example.com', directory: { url: directory.url, bearer: 'b' } } },
      },
    });
    const start = (at: string): ChildProcess =>
      spawn(process.execPath, [program, settings, at], {
        env: { ...process.env, NODE_COMPILE_CACHE: join(folder.path, 'cache') },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
    const kept = () => store(path, (each) => each.page('ann', undefined, 10));

    for (const { when, step = '', smtp: at, atLookUp, mails, stored } of schedule) {
      isAsked = atLookUp ? 'kill' : 'answer';
      // What it says then, nobody hears.
      smtp.behave(at ? { [at]: () => kill() ?? '451 4.3.0 nobody is there' } : {});
      child = start(step);
      const ended = once(child, 'exit');
      if (step.startsWith('match')) {
        await serving(child);
        if (step === 'match before') await publish();
      }
      expect(await ended, when).toEqual([null, 'SIGKILL']);
      expect(smtp.mails, when).toHaveLength(mails);
      expect(await kept(), when).toMatchObject([stored]);
    }

    child = start('');
    await serving(child);
    await eventually(async () => expect(await admin.ready(queue)).toBe(0));
    const ended = once(child, 'exit');
    kill();
    await ended;
    expect(smtp.mails.map(({ headers }) => headers.get('message-id'))).toEqual(
      Array.from({ length: 2 }, () => `<notification.${waiting.id}@example.com>`),
    );
    expect(await kept()).toMatchObject([{ id: waiting.id, state: 'sent', attempts: 8 }]);

    function publish(): Promise<void> {
      return admin.publish(exchange, 'k', Buffer.from('{"status":"finished","user":"ann","task":"t1"}'), {
        deliveryMode: 2,
      });
    }
  },
);

async function serving(child: ChildProcess): Promise<void> {
  if (child.stdout) expect(String((await once(child.stdout, 'data'))[0])).toBe('serving\n');
}

async function store<T>(
  path: string,
  use: (store: ReturnType<typeof createSqliteNotifications>) => Promise<T>,
): Promise<T> {
  const opened = createSqliteNotifications(path, ['task']);
  await opened.open();
  const result = await use(opened);
  await opened.close();
  return result;
}

async function serve(look: (answer: () => void) => void) {
  const server = createServer((_request, response) => look(() => void response.end('{"email":"ann@example.com"}')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => stopServer(server) };
}
