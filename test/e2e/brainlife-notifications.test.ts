import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendJson } from '../support/brainlife-backend.ts';
import { type Brainlife, mine, startBrainlife } from '../support/brainlife-gateway.ts';
import { eventually } from '../support/eventually.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq-broker.ts';
import { type SmtpFixture, smtpFixture } from '../support/smtp-fixture.ts';
import { describeWithOwnRabbitMq } from '../support/with-brokers.ts';

describeWithOwnRabbitMq('notifications of the preset brainlife', () => {
  let broker: RabbitMq;
  let smtp: SmtpFixture;
  let brainlife: Brainlife;
  let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;

  beforeAll(async () => {
    [broker, smtp, folder] = await Promise.all([
      startRabbitMq(),
      smtpFixture(),
      mkdtempDisposable(join(tmpdir(), 'edgeward-notifications-')),
    ]);
    // The preset, less patient: a further try comes within a test.
    const config = join(folder.path, 'brainlife.yaml');
    const preset = readFileSync(new URL('../../presets/brainlife.yaml', import.meta.url), 'utf8');
    const retry = '  retry: { delayMsMin: 50, delayMsMax: 200 }';
    writeFileSync(config, preset.replace('\nnotifications:\n', `\nnotifications:\n${retry}\n`));
    // No exchange is there yet.
    brainlife = await startBrainlife(
      broker.url,
      [],
      {
        SMTP_URL: smtp.url,
        MAIL_FROM: 'Brainlife <no-reply@brainlife.example>',
        STORE_URL: `file:${join(folder.path, 'notifications.sqlite')}`,
      },
      config,
    );
    brainlife.backend.answer('/auth/user/', (request, response) => {
      const { url = '', headers } = request;
      if (headers.authorization !== 'Bearer jwt-of-the-service') return sendJson(response, 401, {});
      return sendJson(response, 200, { sub: url, email: `user${url.split('/').at(-1)}@example.com` });
    });
  });
  afterAll(async () => {
    await brainlife?.[Symbol.asyncDispose]();
    await smtp?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await folder?.remove();
  });

  const url = (path = '/notification') => `${brainlife.gateway.url}${path}`;
  async function call(path: string, init: RequestInit = {}) {
    const response = await fetch(url(path), init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const bearer = (sub: string | number, claims: object = {}) => ({
    authorization: `Bearer ${brainlife.issuer.token({ sub, ...claims })}`,
  });
  const post = (sub: string | number, body: unknown, path = '/notification', claims: object = {}) =>
    call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(sub, claims) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  async function list(sub: string | number, query = '', claims: object = {}) {
    const { status, body } = await call(`/notification${query}`, { headers: bearer(sub, claims) });
    expect(status).toBe(200);
    return body as { notifications: Record<string, unknown>[]; count: number };
  }
  const task = (fields: object) => brainlife.publish('wf.task', `i.${randomUUID()}`, { status: 'finished', ...fields });
  /** A user whom nobody else is. */
  const someone = () => randomUUID();
  const wish = (config: object, changes: object = {}) => ({
    event: 'wf.task.finished',
    handler: 'email',
    config: { subject: 'Done', message: 'Your task has finished.', ...config },
    ...changes,
  });
  const mailsTo = (user: string) => smtp.mails.filter(({ to }) => to.includes(`user${user}@example.com`));
  /** Once a further notification has been sent, whatever could have been sent before it has been. */
  async function settled(): Promise<void> {
    const [user, taskId] = [someone(), randomUUID()];
    await post(user, wish({ task_id: taskId }));
    await task({ _id: taskId, user_id: user });
    await eventually(() => expect(mailsTo(user)).toHaveLength(1));
  }

  test('while the exchange is missing the source waits, with its reason, and everything else works', async () => {
    const ready = await fetch(url('/readyz'));
    expect(ready.status).toBe(200);
    const { sources } = (await ready.json()) as { sources: { name: string; state: string; reason?: string }[] };
    expect(sources).toMatchObject([
      { name: 'amqp', state: 'consuming' },
      { name: 'tasks', state: 'waiting', reason: expect.stringContaining('exchange "wf.task" does not exist') },
    ]);
    expect((await call('/health')).body).toMatchObject({ status: 'ok', amqp_connected: true });

    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    await channel.assertExchange('wf.task', 'topic', { durable: true });
    await eventually(async () => expect(await (await fetch(url('/readyz'))).text()).not.toContain('waiting'), 20_000);
    const client = await brainlife.open();
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', `${instance}.#`, `${instance}.t`);
    client.socket.terminate();
    await connection.close();
  });

  test('10.15: what is posted is stored under the user of the token, whatever it says, and answered as it was', async () => {
    const user = someone();
    const asked = wish({ task_id: 't1' });
    const { status, body } = await post(user, { ...asked, user_id: 'mallory', _id: 'x', extra: 1 });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...asked,
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
      __v: 0,
      user_id: user,
      create_date: expect.stringMatching(/^\d{4}-.*Z$/),
      update_date: body['create_date'],
      state: 'waiting',
      attempts: 0,
      status: 'ok',
    });
    const admin = { scopes: { sca: ['admin'] } };
    const others = [
      await post(user, wish({ task_id: 't2' }), '/notification/'),
      await post(user, wish({ task_id: 't3' }), '/api/event/notification'),
      await post(user, { ...wish({ task_id: 't4' }), user_id: 'mallory' }, '/api/event/notification/', admin),
    ];
    expect(others.map(({ body: { user_id, status: said } }) => [user_id, said])).toEqual(
      Array.from({ length: 3 }, () => [user, 'ok']),
    );
    const { notifications, count } = await list(user);
    expect(count).toBe(4);
    const { status: _status, ...stored } = body;
    expect(notifications[0]).toEqual(stored);
  });

  test('10.15: as in the original nothing is validated: what will never fire is stored, and named', async () => {
    const user = someone();
    const strange = await post(user, { event: 'wf.dinner.ready', handler: 'pigeon', config: { task_id: 't' } });
    expect(strange).toMatchObject({ status: 200, body: { status: 'ok', event: 'wf.dinner.ready' } });
    expect(strange.body['warnings']).toEqual([
      'unknown event "wf.dinner.ready": it never fires',
      'unknown handler "pigeon": it never fires',
    ]);
    expect((await post(user, {})).body['warnings']).toHaveLength(2);
    expect((await post(user, wish({}))).body['warnings']).toEqual([
      'config has none of task_id, instance_id, so nothing tells which event is meant: it never fires',
    ]);
    expect((await post(user, wish({ task_id: 1 }))).body).not.toHaveProperty('warnings');
    const again = await post(user, wish({ task_id: 1 }));
    expect(again.body['warnings']).toEqual(['the same notification waits already']);
    expect((await list(user)).count).toBe(4);
  });

  test('10.15: bodies that cannot be read are refused as by Express', async () => {
    expect(await post('1', '{"event":')).toEqual({
      status: 400,
      body: { expose: true, statusCode: 400, status: 400, body: '{"event":', type: 'entity.parse.failed' },
    });
    const large = await post('1', wish({ task_id: 't', subject: 'x'.repeat(1_000_000) }));
    expect(large).toMatchObject({ status: 413, body: { type: 'entity.too.large', limit: 102_400 } });
    expect(await post('1', `${'['.repeat(5000)}${']'.repeat(5000)}`)).toMatchObject({ status: 400 });
    expect(await post('1', [1])).toMatchObject({ status: 400, body: { message: expect.any(String) } });
    expect(await post('1', { event: { $gt: '' } })).toMatchObject({ status: 400 });
  });

  test('10.15: without a good token the answer is that of express-jwt', async () => {
    const refusal = (authorization?: string) =>
      call('/notification', authorization === undefined ? {} : { headers: { authorization } });
    const message = 'No authorization token was found';
    expect(await refusal()).toEqual({
      status: 401,
      body: { name: 'UnauthorizedError', message, code: 'credentials_required', status: 401, inner: { message } },
    });
    const format = 'Format is Authorization: Bearer [token]';
    expect((await refusal('Basic abc')).body).toMatchObject({ code: 'credentials_bad_scheme', message: format });
    expect((await refusal('Bearer')).body).toMatchObject({ code: 'credentials_bad_format', message: format });
    expect((await refusal('Bearer nonsense')).body).toEqual({
      name: 'UnauthorizedError',
      message: 'jwt malformed',
      code: 'invalid_token',
      status: 401,
      inner: { name: 'JsonWebTokenError', message: 'jwt malformed' },
    });
    const expired = brainlife.issuer.token({ exp: 1_700_000_000 });
    expect((await refusal(`Bearer ${expired}`)).body).toMatchObject({
      message: 'jwt expired',
      inner: { name: 'TokenExpiredError', message: 'jwt expired', expiredAt: '2023-11-14T22:13:20.000Z' },
    });
    const forged = brainlife.issuer.token({}, 'HS256');
    expect((await refusal(`Bearer ${forged}`)).status).toBe(401);
    const [head, claims] = brainlife.issuer.token().split('.');
    const unsigned = `${head}.${claims}.${Buffer.from('x').toString('base64url')}`;
    expect((await refusal(`Bearer ${unsigned}`)).body).toMatchObject({ message: 'invalid signature' });
    expect((await refusal(`bearer ${brainlife.issuer.token()}`)).status).toBe(200);
    const nobody = await refusal(`Bearer ${brainlife.issuer.token({ sub: undefined })}`);
    expect(nobody).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
    const posted = await call('/notification', { method: 'POST', body: '{}' });
    expect(posted).toMatchObject({ status: 401, body: { name: 'UnauthorizedError' } });
  });

  test('10.15: lists hold one’s own records, and others’ only for an administrator who names whose', async () => {
    const [ann, bob] = [someone(), someone()];
    for (const id of ['a1', 'a2', 'a3']) await post(ann, wish({ task_id: id }));
    await post(bob, wish({ task_id: 'b1' }));
    const find = (query: object) => `?find=${encodeURIComponent(JSON.stringify(query))}`;
    const ids = ({ notifications }: { notifications: Record<string, unknown>[] }) =>
      notifications.map(({ config }) => (config as { task_id: string }).task_id);
    const admin = { scopes: { sca: ['user', 'admin'] } };

    expect(ids(await list(ann))).toEqual(['a1', 'a2', 'a3']);
    expect(ids(await list(ann, find({ user_id: bob })))).toEqual(['a1', 'a2', 'a3']);
    expect(ids(await list(ann, find({ user_id: null })))).toEqual(['a1', 'a2', 'a3']);
    expect(ids(await list(ann, find({ $or: [{ user_id: bob }, { 'config.task_id': 'a2' }] })))).toEqual(['a2']);
    expect(ids(await list(ann, '?sort=-create_date%20-_id&limit=1&skip=1'))).toEqual(['a2']);
    expect((await list(ann, '?limit=1')).count).toBe(3);
    expect(ids(await list(ann, `${find({ 'config.task_id': 'a2' }).replace('?', '?limit=5&')}&jwt=a?b`))).toEqual([
      'a2',
    ]);
    expect(ids(await list(ann, '?x=what?&limit=1'))).toEqual(['a1']);
    const [selected] = (await list(ann, '?select=event&limit=1')).notifications;
    expect(Object.keys(selected ?? {})).toEqual(['_id', 'event']);
    const where = encodeURIComponent(JSON.stringify({ 'config.task_id': { $in: ['a1', 'b1'] } }));
    expect(ids(await list(ann, `?where=${where}`))).toEqual(['a1']);

    expect(ids(await list(ann, '', admin))).toEqual(['a1', 'a2', 'a3']);
    expect(ids(await list(ann, find({ user_id: bob }), admin))).toEqual(['b1']);
    expect(ids(await list(ann, find({ user_id: null, 'config.task_id': 'b1' }), admin))).toEqual(['b1']);
    for (const scopes of [
      { sca: ['user'] },
      { sca: 'admin' },
      { sca: { admin: true } },
      { brainlife: ['admin'] },
      undefined,
      'admin',
    ]) {
      expect(ids(await list(ann, find({ user_id: bob }), { scopes }))).toEqual(['a1', 'a2', 'a3']);
    }
    for (const query of ['{', '[]', '{"$where":"1"}', '{"event":{"$regex":"."}}', '{"secret":1}']) {
      const refused = await call(`/notification?find=${encodeURIComponent(query)}`, { headers: bearer(ann) });
      expect(refused, query).toEqual({ status: 400, body: { message: expect.stringMatching(/^find: /) } });
    }
  });

  test('10.15: pages of every origin may use it', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-headers': 'authorization,content-type' };
    const preflight = await fetch(url(), { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    expect((await fetch(url(), { headers })).headers.get('access-control-allow-origin')).toBe('*');
  });

  test('10.16: a finished task sends one plain text mail to the address of auth, and sets trigger_date', async () => {
    const user = someone();
    const { body } = await post(user, wish({ task_id: 'mine', subject: 'Fertig: ü', message: 'Zeile 1\n.\nZeile 2' }));
    await task({ _id: 'mine', user_id: user, instance_id: 'i', name: 'app' });
    await eventually(() => expect(mailsTo(user)).toHaveLength(1));
    const [mail] = mailsTo(user);
    expect(mail?.from).toBe('no-reply@brainlife.example');
    expect(mail?.headers.get('from')).toBe('Brainlife <no-reply@brainlife.example>');
    expect(mail?.headers.get('to')).toBe(`user${user}@example.com`);
    expect(mail?.headers.get('subject')).toBe('=?UTF-8?Q?Fertig=3A_=C3=BC?=');
    expect(mail?.headers.get('content-type')).toMatch(/^text\/plain; charset=utf-8$/);
    expect(mail?.headers.get('message-id')).toBe(`<notification.${String(body['_id'])}@brainlife.example>`);
    expect(mail?.body.trimEnd()).toBe('Zeile 1\r\n.\r\nZeile 2');
    await eventually(async () => {
      const [sent] = (await list(user)).notifications;
      expect(sent).toMatchObject({ _id: body['_id'], state: 'sent', attempts: 1, trigger_date: expect.any(String) });
    });

    await task({ _id: 'mine', user_id: user });
    await settled();
    expect(mailsTo(user)).toHaveLength(1);
  });

  test('10.16: the sample of the page works as it stands there', async () => {
    const page = readFileSync(new URL('../../docs/presets/brainlife.md', import.meta.url), 'utf8');
    const [, section = ''] = page.split('\n## Notifications\n');
    const [, sample = ''] = /```js\n([\s\S]*?)```/.exec(section) ?? [];
    const [user, taskId] = [someone(), randomUUID()];
    const JWT = brainlife.issuer.token({ sub: user });
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', sample], {
      env: { ...process.env, EVENT_URL: url('/api/event'), JWT, TASK: taskId },
    });
    expect(stdout).toMatch(/^I will tell you [0-9a-f]{24}\n$/);
    await task({ _id: taskId, user_id: user });
    await eventually(() => expect(mailsTo(user)).toHaveLength(1));
    expect(mailsTo(user)[0]?.headers.get('subject')).toBe('Finished');
    expect(mailsTo(user)[0]?.body.trimEnd()).toBe('Your task has finished.');
  });

  test('10.16: also by instance_id, and for any status; a number is the same as its text', async () => {
    const user = someone();
    await post(user, wish({ instance_id: 'run1' }));
    await post(user, wish({ task_id: '77' }, { event: 'wf.task.failed' }));
    await task({ _id: 'other', user_id: user, instance_id: 'run1' });
    await task({ _id: 77, user_id: user, status: 'failed' });
    await eventually(() => expect(mailsTo(user)).toHaveLength(2));
  });

  test('10.16: another user, another status, another task, and what is no task: none', async () => {
    const user = someone();
    await post(user, wish({ task_id: 'mine', instance_id: 'run' }));
    await task({ _id: 'mine', user_id: someone() });
    await task({ _id: 'mine' });
    await task({ _id: 'mine', user_id: user, status: 'running' });
    await task({ _id: 'other', user_id: user });
    await task({ user_id: user });
    for (const junk of ['', 'null', '[]', '"x"', '{', '{"user_id":{"$ne":1},"status":"finished"}']) {
      await brainlife.publishBytes('wf.task', 'i.t', Buffer.from(junk), { contentType: 'application/json' });
    }
    await settled();
    expect(mailsTo(user)).toEqual([]);
    expect((await list(user)).notifications).toMatchObject([{ state: 'waiting' }]);
  });

  test('an address with a line break, several too many, none at all: nothing is sent, and it is said why', async () => {
    const addresses: Readonly<Record<string, unknown>> = {
      broken: 'a@example.com\r\nBcc: everybody@example.com',
      many: Array.from({ length: 6 }, (_, index) => `a${index}@example.com`),
      listed: 'a@example.com, b@example.com',
      none: undefined,
    };
    const before = smtp.mails.length;
    for (const [name, email] of Object.entries(addresses)) {
      const user = someone();
      brainlife.backend.answer(`/auth/user/${user}`, (_request, response) => sendJson(response, 200, { email }));
      await post(user, wish({ task_id: name }));
      await task({ _id: name, user_id: user });
      const failure = name === 'none' ? 'mail_address_missing' : 'mail_address_invalid';
      await eventually(async () =>
        expect((await list(user)).notifications).toMatchObject([{ state: 'failed', failure, attempts: 1 }]),
      );
    }
    expect(smtp.mails).toHaveLength(before);
    const metrics = await (await fetch(url('/metrics'))).text();
    expect(metrics).toMatch(/edgeward_notifications_tried_total\{handler="email",outcome="failed"\} 4/);
  });

  test('10.16: a mail server that says 451 and then 250: the mail comes, once', async () => {
    const user = someone();
    const replies = ['451 4.3.0 later', '451 4.3.0 later'];
    smtp.behave({ atMail: () => replies.shift() });
    await post(user, wish({ task_id: 'put-off' }));
    await task({ _id: 'put-off', user_id: user });
    await eventually(async () =>
      expect((await list(user)).notifications).toMatchObject([{ state: 'sent', attempts: 3 }]),
    );
    smtp.behave({});
    await settled();
    expect(mailsTo(user)).toHaveLength(1);
  });

  test('nobody else consumes from the queue, and no secret is in what the gateway prints', async () => {
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    await expect(channel.consume('event.task', () => {})).rejects.toThrow('ACCESS_REFUSED');
    await connection.close();
    expect(brainlife.gateway.output()).not.toContain('jwt-of-the-service');
    expect(brainlife.gateway.output()).not.toContain('everybody@example.com');
  });
});
