import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { end, openHub, refusedUpgrade } from '../support/hub-client.ts';
import { settled } from '../support/relay-client.ts';
import { newSite, type Salto, startSalto } from '../support/salto-gateway.ts';
import { receivedBy, signalrClient } from '../support/signalr-client.ts';
import { describeWithRabbitMq } from '../support/with-brokers.ts';

describeWithRabbitMq('SALTO KS by the preset', () => {
  let salto: Salto;
  beforeAll(async () => {
    salto = await startSalto({ LOG_LEVEL: 'debug', CORS_ORIGINS: 'https://app.example' });
  });
  afterAll(() => salto[Symbol.asyncDispose]());
  const upgradeUrl = (path: string) => `${salto.url.replace('http', 'ws')}${path}`;
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  test.each(['/v1/hub/entries', '/hub/entry'])(
    'salto-ks 8.1, 8.10, 8.11, 8.13, 8.19: %s is a hub for the official client, several on one site',
    async (path) => {
      const { site, claims } = newSite('site_admin');
      const one = await salto.connect(`${path}?site_id=${site}`, claims);
      const two = await salto.connect(`${path}?site_id=${site}`, claims, { protocol: 'messagepack', negotiate: true });
      const entry = { id: randomUUID(), event_category: 'lock_opened', user_id: 'u' };
      await salto.publish(`entries.${site}.u`, entry);
      await salto.publish(`entries.${site}`, [1]);
      for (const { received } of [one, two]) {
        await eventually(() => expect(received).toEqual([JSON.stringify(entry), '[1]']));
      }
    },
  );

  test('salto-ks 8.12: of a site, of its hub and of its user only', async () => {
    const [{ site, claims }, other] = [newSite('site_super_user'), newSite('site_admin')];
    const entries = await salto.connect(`/v1/hub/entries?site_id=${site}`, claims);
    const incidents = await salto.connect(`/v1/hub/incidents?site_id=${site}`, claims);
    const ofUser = await salto.connect(`/v1/hub/entries?site_id=${site}&user_id=u1`, claims);
    const older = await salto.connect(`/hub/incident?site_id=${site}&user_id=u1`, claims);
    const elsewhere = await salto.connect(`/v1/hub/entries?site_id=${other.site}`, other.claims);
    await salto.publish(`entries.${other.site}.u1`, 'elsewhere');
    await salto.publish(`entries.${site}.u1`, 'e1');
    await salto.publish(`entries.${site}.u2`, 'e2');
    await salto.publish(`entries.${site}`, 'e');
    await salto.publish(`incidents.${site}.u1`, 'i1');
    await salto.publish(`incidents.${site}`, 'i');
    await salto.publish(`entries.${site}.u1.more`, 'nobody');
    await salto.publish(`others.${site}`, 'nobody');
    await salto.publish(`entries.${site}.u1`, 'last');
    await eventually(() => expect(entries.received).toEqual(['"e1"', '"e2"', '"e"', '"last"']));
    await eventually(() => expect(ofUser.received).toEqual(['"e1"', '"last"']));
    await eventually(() => expect(incidents.received).toEqual(['"i1"', '"i"']));
    await eventually(() => expect(older.received).toEqual(['"i1"']));
    await eventually(() => expect(elsewhere.received).toEqual(['"elsewhere"']));
  });

  describe('who connects', () => {
    test('salto-ks 8.2: with the token in the header or in the query, where the header wins', async () => {
      const { site, claims } = newSite('site_admin');
      const path = `/v1/hub/entries?site_id=${site}`;
      const [good, bad] = [await salto.issuer.token(claims), await salto.issuer.forged()];
      for (const [query, options] of [
        ['', bearer(good)],
        [`&access_token=${good}`, {}],
        [`&access_token=${bad}`, bearer(good)],
        [`&access_token=${good}`, { headers: { authorization: 'Basic eDp5' } }],
      ] as const) {
        await openHub(upgradeUrl(`${path}${query}`), options);
      }
      const answer = await refusedUpgrade(upgradeUrl(`${path}&access_token=${good}`), bearer(bad));
      expect(answer.status).toBe(401);
    });

    test('salto-ks 8.3, 8.5: without a good token gets 401, whatever else is wrong', async () => {
      const { claims } = newSite('site_admin');
      const tokens: readonly [string | undefined, string][] = [
        [undefined, 'Bearer'],
        ['x.y.z', 'Bearer error="invalid_token", error_description="The token is malformed"'],
        [await salto.issuer.forged(), 'invalid_token'],
        [await salto.issuer.token({ ...claims, aud: 'core_api' }), 'The token is meant for another audience'],
        [await salto.issuer.token({ ...claims, iss: 'https://else.example' }), 'The issuer of the token'],
        [await salto.issuer.token({ ...claims, exp: 1_000_000 }), 'The token has expired'],
      ];
      for (const [token, challenge] of tokens) {
        const options = token === undefined ? {} : bearer(token);
        const answer = await refusedUpgrade(upgradeUrl('/v1/hub/entries'), options);
        expect([answer.status, answer.body]).toEqual([401, '']);
        expect(answer.headers['www-authenticate']).toContain(challenge);
      }
    });

    test('salto-ks 8.4, 8.5: without the scope gets 403 before anything is said of the query', async () => {
      const { site, claims } = newSite('site_admin');
      const scope = 'user_api.full_access';
      const scopes = [
        { scope: `a ${scope}` },
        { scope: [scope] },
        { scope: undefined, scopes: scope },
        { scope: '', scp: [scope] },
      ];
      for (const each of scopes) {
        await openHub(
          upgradeUrl(`/v1/hub/entries?site_id=${site}`),
          bearer(await salto.issuer.token({ ...claims, ...each })),
        );
      }
      for (const each of [{ scope: 'openid' }, { scope: undefined }, { scope: 'user_api.full' }]) {
        const token = await salto.issuer.token({ ...claims, ...each });
        for (const query of [`?site_id=${site}`, '']) {
          const answer = await refusedUpgrade(upgradeUrl(`/v1/hub/entries${query}`), bearer(token));
          expect([answer.status, answer.body]).toEqual([403, '']);
          expect(answer.headers['www-authenticate']).toContain('insufficient_scope');
        }
      }
    });

    test.each(['', '?site_id=', '?site_id=undefined', '?site_id=a&site_id=b'])(
      'salto-ks 8.6: with "%s" gets 400',
      async (query) => {
        const token = await salto.issuer.token(newSite('site_admin').claims);
        expect(await refusedUpgrade(upgradeUrl(`/v1/hub/incidents${query}`), bearer(token))).toMatchObject({
          status: 400,
        });
      },
    );

    test('salto-ks 8.7, 8.8: as what the roles say, also to negotiate', async () => {
      const site = randomUUID();
      const status = async (roles: readonly string[], query: string): Promise<number> => {
        const token = await salto.issuer.token({ site_roles: { [site]: roles } });
        const answer = await fetch(`${salto.url}/v1/hub/entries/negotiate?site_id=${site}${query}&negotiateVersion=1`, {
          method: 'POST',
          ...bearer(token),
        });
        return answer.status;
      };
      expect(await status(['site_admin'], '')).toBe(200);
      expect(await status(['site_user'], '')).toBe(403);
      expect(await status(['site_owner'], '')).toBe(403);
      expect(await status(['site_user'], '&user_id=ann')).toBe(200);
      expect(await status(['site_user'], '&user_id=bob')).toBe(403);
      expect(await status(['site_user'], '&user_id=')).toBe(403);
      expect(await status(['site_admin'], '&user_id=')).toBe(400);
      expect(await status(['site_admin'], '&user_id=bob')).toBe(200);
    });

    test('salto-ks 8.18: from a page of the list, which may negotiate with credentials', async () => {
      const preflight = (origin: string) =>
        fetch(`${salto.url}/v1/hub/entries/negotiate`, { method: 'OPTIONS', headers: { origin } });
      const headerOf = async (origin: string) => (await preflight(origin)).headers.get('access-control-allow-origin');
      expect(await headerOf('https://app.example')).toBe('https://app.example');
      expect(await headerOf('https://bad.example')).toBeNull();
    });
  });

  test('salto-ks 8.9, 8.19: .NET and Java, as their sources send it', async () => {
    const { site, claims } = newSite('site_user');
    const url = upgradeUrl(`/v1/hub/entries?site_id=${site}&user_id=ann`);
    const token = await salto.issuer.token(claims);
    const agent = (name: string) => ({
      headers: { authorization: `Bearer ${token}`, 'user-agent': `Microsoft SignalR/10.0 (${name})` },
    });
    const dotnet = await openHub(url, {
      headers: { ...agent('10.0.0; Unknown OS; .NET').headers, 'x-requested-with': 'XMLHttpRequest' },
    });
    dotnet.send(`{"protocol":"json","version":1}${end}`);
    dotnet.send(`{"type":6}${end}`);
    const java = await openHub(url, agent('10.0.0; Linux; Java'));
    java.send(Buffer.from(`{"protocol":"json","version":1}${end}`));
    java.send(Buffer.from(`{"type":6}${end}`));
    await eventually(() => expect([dotnet.frames, java.frames]).toEqual([[`{}${end}`], [`{}${end}`]]));
    await salto.publish(`entries.${site}.ann`, { id: 1 });
    const frame = `{"type":1,"target":"ReceiveMessage","arguments":["{\\"id\\":1}"]}${end}`;
    for (const client of [dotnet, java]) {
      await eventually(() => expect(client.frames.slice(1)).toEqual([frame]));
      await settled(client);
    }
  });

  test('salto-ks 8.21: no token is in what the gateway prints', async () => {
    const { site, claims } = newSite('site_admin');
    const token = await salto.issuer.token(claims);
    await openHub(upgradeUrl(`/v1/hub/entries?site_id=${site}&access_token=${token}`));
    await refusedUpgrade(upgradeUrl(`/v1/hub/entries?access_token=${token}`));
    // Of many refusals in a second some lines are left out.
    await eventually(() => expect(/access-denied/.test(salto.gateway.output())).toBe(true));
    for (const part of token.split('.')) expect(salto.gateway.output()).not.toContain(part);
    expect(salto.gateway.output()).not.toContain('access_token=');
  });

  test('with a token that a page puts into the query, the official client connects', async () => {
    const { site, claims } = newSite('site_admin');
    const token = await salto.issuer.token(claims);
    const client = signalrClient(`${salto.url}/v1/hub/entries?site_id=${site}&access_token=${token}`);
    const received = receivedBy(client);
    await client.start();
    await salto.publish(`entries.${site}`, 1);
    await eventually(() => expect(received).toEqual(['1']));
  });
});
