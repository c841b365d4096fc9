import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Body, connectedSpacesClient, type SpacesClient, spacesClient } from '../support/spaces-clients.ts';
import { type SpacesGateway, startSpaces } from '../support/spaces-gateway.ts';

let spaces: SpacesGateway;
beforeAll(async () => {
  spaces = await startSpaces();
});
afterAll(() => spaces[Symbol.asyncDispose]());

const own = (what: string): string => `${what}-${randomUUID()}`;

/** The code that a subscription fails with. */
async function failure(client: SpacesClient, space: string, more = {}): Promise<unknown> {
  const before = client.of('SUBSCRIBE_CHANNEL_FAILED').length;
  client.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space, ...more } });
  const answer = await eventually(() => client.of('SUBSCRIBE_CHANNEL_FAILED')[before] ?? expect.fail('no answer yet'));
  return (answer['error'] as Body)['code'];
}

describe('membership', () => {
  test('is asked for with the space in the URL, the token as it came and the password in its header', async () => {
    const { backend, url } = spaces;
    const space = `ä/${own('b')}`;
    const opaque = own('opaque');
    backend.opaque.set(opaque, { active: true, user_id: 'oauth user' });
    const asked = () => backend.asked.filter(({ url: each }) => each === `/spaces/${encodeURIComponent(space)}/join`);
    const user = await spaces.connect('ann');
    await user.subscribe(space, { password: 'pass word' });
    const guestToken = backend.guest('gus');
    const guest = await connectedSpacesClient(url, { query: { token: guestToken, tokenType: 'jwt' } });
    await guest.subscribe(space);
    const oauth = await connectedSpacesClient(url, { query: { token: opaque, tokenType: 'oauth' } });
    await oauth.subscribe(space, { password: null });
    const [first, second, third] = asked().map(({ headers }) => headers);
    expect(first?.authorization).toMatch(/^jwt ey/);
    expect(first?.['spaces-x-space-password']).toBe('pass word');
    expect(second?.authorization).toBe(`jwt ${guestToken}`);
    expect(second).not.toHaveProperty('spaces-x-space-password');
    expect(third?.authorization).toBe(`Bearer ${opaque}`);
  });

  test.each([
    [200, undefined],
    [401, 'forbidden'],
    [403, 'forbidden'],
    [404, 'forbidden'],
  ])('an answer of %i', async (status, code) => {
    const space = own('space');
    spaces.backend.membership = (asked) => (asked === space ? status : 200);
    const client = await spaces.connect('ann');
    if (code === undefined) await client.subscribe(space);
    else expect(await failure(client, space)).toBe(code);
  });

  test('an answer that means neither yes nor no is to be asked for again', async () => {
    await using gateway = await startSpaces({
      change: (text) => text.replace('order:', 'admissionMsMax: 300\n      order:'),
    });
    const client = await gateway.connect('ann');
    for (const status of [204, 500]) {
      gateway.backend.membership = () => status;
      expect(await failure(client, own('space'))).toBe('try.later');
    }
  });

  test('a password that could be no header is no member’s, and harms nobody', async () => {
    const client = await spaces.connect('ann');
    expect(await failure(client, own('space'), { password: 'ä\r\nx: y' })).toBe('forbidden');
    await client.subscribe(own('space'));
  });

  test('is looked at again on demand: who has been removed is out at once, and the others hear of it', async () => {
    const space = own('space');
    const members = new Set(['ann', 'ben']);
    spaces.backend.membership = (asked, { headers }) => {
      if (asked !== space) return 200;
      const [, claims = ''] = (headers.authorization ?? '').split('.');
      return members.has(JSON.parse(Buffer.from(claims, 'base64url').toString()).user_id) ? 200 : 403;
    };
    const [ann, ben] = [await spaces.connect('ann'), await spaces.connect('ben')];
    await ann.subscribe(space);
    await ben.subscribe(space);
    members.delete('ben');
    expect(await spaces.publish(space, {}, { 'Spaces-Event': 'MEMBERS_RECHECK' })).toBe(202);
    await eventually(() =>
      expect(ben.of('CHANNEL_UNSUBSCRIBED')).toEqual([{ channel: { _id: space, type: 'topic' } }]),
    );
    await eventually(() =>
      expect(ann.of('PRESENCE_EVENT_RESPONSE')).toMatchObject([
        { category: 'app.event.presence.party.leaves', sender: { _id: 'ben' } },
      ]),
    );
    ann.say(space, 'without ben');
    await eventually(() => expect(ann.texts(space)).toEqual(['without ben']));
    ben.say(space, 'still here?');
    await eventually(() => expect(ben.of('SEND_MESSAGE_FAILED')).toHaveLength(1));
    expect(ben.texts(space)).toEqual([]);
    expect(await failure(ben, space)).toBe('forbidden');
    expect((await spaces.history('ben', `/api/spaces/${space}/messages`)).status).toBe(403);
  });
});

describe('opaque tokens', () => {
  test('are asked about once for a while, whatever the answer, and told apart from no answer', async () => {
    const { backend, url } = spaces;
    const [good, bad] = [own('good'), own('bad')];
    backend.opaque.set(good, { active: true, sub: 'ann', exp: Math.floor(Date.now() / 1000) + 60 });
    for (let times = 0; times < 3; times += 1) {
      await connectedSpacesClient(url, { query: { token: good, tokenType: 'oauth' } });
      const refused = spacesClient(url, { query: { token: bad, tokenType: 'oauth' } });
      await eventually(() => expect(refused.of('error')).toEqual(['The token is not active']));
    }
    const asked = backend.asked.filter(({ url: each }) => each === '/introspect').map(({ body }) => body);
    expect(asked.filter((body) => body.includes(good))).toEqual([`token=${good}&token_type_hint=access_token`]);
    expect(asked.filter((body) => body.includes(bad))).toHaveLength(1);
  });
});

describe('what was said', () => {
  const texts = (data: readonly Body[]) => data.map(({ content }) => (content as Body)['bodyText']);
  const page = async (path: string) => {
    const answer = await spaces.history('ann', path);
    expect(answer.status).toBe(200);
    return (await answer.json()) as {
      data: Body[];
      previousPageUrl: string | null;
      nextPageUrl: string | null;
      gap: boolean;
    };
  };

  test('is read page by page, so that a client that comes back fills its gap', async () => {
    const space = own('space/1');
    const messages = `/api/spaces/${encodeURIComponent(space)}/messages`;
    const client = await spaces.connect('ann');
    await client.subscribe(space);
    client.say(space, '1', { loopbackMetadata: 'mine' });
    client.emit('SEND_PRESENCE_EVENT', { category: 'party.typing', topicId: space, content: {} });
    await eventually(() => expect(client.texts(space)).toEqual(['1']));
    client.vanish();
    // A back-end's, while nobody is there.
    for (const text of ['2', '3', '4', '5']) await spaces.publish(space, { content: { bodyText: text } });
    const last = client.of('MESSAGE_SENT')[0]?.['_id'];
    const missed = await eventually(async () => {
      const answer = await page(`${messages}?after=${String(last)}&size=3`);
      expect(texts(answer.data)).toEqual(['2', '3', '4']);
      return answer;
    });
    expect(missed).toMatchObject({ gap: false, previousPageUrl: expect.any(String) });
    expect(texts((await page(missed.nextPageUrl ?? '')).data)).toEqual(['5']);
    expect(texts((await page(missed.previousPageUrl ?? '')).data)).toEqual(['1']);
    const all = await page(messages);
    expect(texts(all.data)).toEqual(['1', '2', '3', '4', '5']);
    expect(all).toMatchObject({ previousPageUrl: null, nextPageUrl: null, gap: false });
    const { loopbackMetadata: _, ...kept } = client.of('MESSAGE_SENT')[0] ?? {};
    expect(all.data[0]).toEqual(kept);
    expect(await page(`${messages}?after=nobody`)).toMatchObject({ gap: true, data: all.data });
    expect((await page(`${messages}?size=2`)).data).toEqual(all.data.slice(-2));
  });

  test('is for members with a token; other questions are answered with problems', async () => {
    const status = async (path: string, init: RequestInit = {}) => (await fetch(spaces.url + path, init)).status;
    expect(await status('/api/spaces/s/messages')).toBe(401);
    expect(await status('/api/spaces/s/messages', { headers: { authorization: 'jwt nonsense' } })).toBe(401);
    const headers = { authorization: `bearer ${spaces.backend.user('ann')}` };
    expect(await status('/api/spaces/s/messages', { headers })).toBe(200);
    expect(await status('/api/spaces/s/messages?size=0', { headers })).toBe(400);
    expect(await status('/api/spaces/s/messages?after=1&before=2', { headers })).toBe(400);
    expect(await status('/api/spaces/s', { headers })).toBe(404);
    expect(await status('/api/spaces/%E0%A4%A/messages', { headers })).toBe(404);
    expect(await status('/api/spaces/s/messages', { method: 'POST', headers })).toBe(405);
  });

  test('is read with an opaque token that looks like a JWT, too', async () => {
    const { backend, url } = spaces;
    const opaque = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.${own('x')}`;
    backend.opaque.set(opaque, { active: true, user_id: 'oauth user' });
    const statusOf = async (token: string) =>
      (await fetch(`${url}/api/spaces/s/messages`, { headers: { authorization: `bearer ${token}` } })).status;
    expect(await statusOf(opaque)).toBe(200);
    expect(await statusOf(`${opaque}x`)).toBe(401);
  });

  test('to some is read by them and by the sender; a guest is no user, whatever its token says', async () => {
    const { backend, url } = spaces;
    const space = own('private');
    const ann = await spaces.connect('ann');
    const token = backend.guest('guest', { user_id: 'ben' });
    const guest = await connectedSpacesClient(url, { query: { token, tokenType: 'jwt' } });
    const ben = await spaces.connect('ben');
    for (const client of [ann, guest, ben]) await client.subscribe(space);
    ann.say(space, 'for ben', { receivers: [{ _id: 'ben', type: 'user' }] });
    guest.say(space, 'for all');
    for (const client of [ann, ben])
      await eventually(() => expect(client.texts(space)).toEqual(['for ben', 'for all']));
    await eventually(() => expect(guest.texts(space)).toEqual(['for all']));
    expect(guest.of('MESSAGE_SENT')[0]).toMatchObject({ sender: { _id: 'guest', type: 'anonymous' } });
    const path = `/api/spaces/${space}/messages`;
    for (const [user, expected] of [
      ['ben', 2],
      ['ann', 2],
      ['cleo', 1],
    ] as const) {
      const { data } = (await (await spaces.history(user, path)).json()) as { data: Body[] };
      expect(data).toHaveLength(expected);
    }
  });

  test('is there after a restart where STORE_URL is a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgeward-spaces-'));
    const env = { STORE_URL: `file:${join(folder, 'spaces.db')}`, MEMBERSHIP_URL: '' };
    for (const text of ['before', 'after']) {
      await using gateway = await startSpaces({ env });
      expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({
        endpoints: [{ membership: 'open' }],
      });
      const client = await gateway.connect('ann');
      await client.subscribe('s');
      client.say('s', text);
      await eventually(async () => {
        const answer = (await (await gateway.history('ann', '/api/spaces/s/messages')).json()) as { data: Body[] };
        expect(texts(answer.data)).toEqual(text === 'before' ? ['before'] : ['before', 'after']);
      });
    }
    await rm(folder, { recursive: true });
  });
});

describe('limits', () => {
  test('of rate, size and spaces are answered with a code, and nothing is dropped in silence', async () => {
    const space = own('space');
    const client = await spaces.connect('ann');
    await client.subscribe(space);
    for (let each = 0; each < 200; each += 1) client.say(space, `${each}`);
    await eventually(() => expect(client.texts(space).length + client.of('SEND_MESSAGE_FAILED').length).toBe(200));
    expect(client.texts(space).length).toBeGreaterThanOrEqual(100);
    expect(client.of('SEND_MESSAGE_FAILED')[0]).toMatchObject({
      topicId: space,
      error: { code: 'rate.limit.exceeded' },
    });

    const other = await spaces.connect('ben');
    await other.subscribe(space);
    for (const length of [70_000, 700_000]) other.say(space, 'x'.repeat(length));
    const error = { code: 'message.too.large' };
    await eventually(() => expect(other.of('SEND_MESSAGE_FAILED')).toMatchObject([{ error }, { error }]));
    expect(other.socket.connected).toBe(true);
    const many = await spaces.connect('cid');
    for (let each = 0; each < 60; each += 1)
      many.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: own('s') } });
    await eventually(() => expect(many.of('CHANNEL_SUBSCRIBED')).toHaveLength(60));
  });
});
