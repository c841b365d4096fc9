import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { connectRaw, connectStock, refusalOf } from '../support/hiiretail-clients.ts';
import { deliveriesOf } from '../support/hiiretail-deliveries.ts';
import { type HiiretailGateway, startHiiretail } from '../support/hiiretail-gateway.ts';
import { testKey } from '../support/key-server.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const topic = 'che.public.event.session-changed.v1';

describeWithPubSub('hiiretail: safety', () => {
  let gateway: HiiretailGateway;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics: [topic], env: { LOG_LEVEL: 'debug' } });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const nowS = (): number => Math.floor(Date.now() / 1000);

  describe('what clients send', () => {
    test('8.20 a thousand events of a stock client change nothing, and none is acknowledged', async () => {
      const [mine, other] = await Promise.all([
        gateway.issuers.ocms.mint({ tid: 't1', buid: 'u1' }),
        gateway.issuers.ocms.mint({ tid: 't2' }),
      ]);
      using sender = await connectStock(gateway.url, { token: mine });
      using neighbour = await connectStock(gateway.url, { token: mine });
      using stranger = await connectStock(gateway.url, { token: other });
      const acknowledged: unknown[] = [];
      const acknowledge = (...args: unknown[]) => acknowledged.push(args);
      for (let index = 0; index < 250; index += 1) {
        sender.socket.emit(topic, { index }, { tenantId: 't2' }, acknowledge);
        sender.socket.emit('join', 'tenants/t2', acknowledge);
        sender.socket.emit('subscribe', { topics: [topic], rooms: [`tenants/t1/connections/${neighbour.id}`] });
        sender.socket.volatile.emit('message', 'x'.repeat(index));
      }
      const named = { sender, neighbour, stranger };
      const clients = Object.entries(named).map(([name, client]) => {
        return { name, client, tenant: name === 'stranger' ? 't2' : 't1', topic };
      });
      const delivered = await deliveriesOf(gateway, clients, [
        { name: 'of t1', topic, attributes: { 'Tenant-Id': 't1' } },
        { name: 'of u1', topic, attributes: { 'Tenant-Id': 't1', 'Business-Unit-Id': 'u1' } },
        { name: 'of t2', topic, attributes: { 'Tenant-Id': 't2' } },
      ]);
      expect(delivered).toEqual({ sender: ['of t1', 'of u1'], neighbour: ['of t1', 'of u1'], stranger: ['of t2'] });
      for (const { socket, id } of Object.values(named))
        expect({ connected: socket.connected, id: socket.id }).toEqual({ connected: true, id });
      expect(acknowledged).toEqual([]);
    });

    test('8.20 nor do a thousand acknowledgements that nobody has asked for', async () => {
      const token = await gateway.issuers.ocms.mint({ tid: 't1' });
      using sender = await connectRaw(gateway.url, '', token);
      using neighbour = await connectStock(gateway.url, { token });
      for (let index = 0; index < 1000; index += 1) sender.send(`43${index}["ok"]`);
      sender.send(`42["${topic}",{"name":"from a client"},{}]`);
      sender.send(`427["${topic}"]`);
      const clients = Object.entries({ sender, neighbour }).map(([name, client]) => ({
        name,
        client,
        tenant: 't1',
        topic,
      }));
      const events = [{ name: 'from the topic', topic, attributes: { 'Tenant-Id': 't1' } }];
      expect(await deliveriesOf(gateway, clients, events)).toEqual({
        sender: ['from the topic'],
        neighbour: ['from the topic'],
      });
      expect(sender.packets.filter((packet) => !/^(0\{|2$|40\{|42\[)/.test(packet))).toEqual([]);
    });

    test('8.20 a client that never acknowledges, and has no handler, goes on getting events', async () => {
      const token = await gateway.issuers.ocms.mint({ tid: 't1' });
      using silent = await connectRaw(gateway.url, '', token);
      for (let index = 0; index < 100; index += 1) {
        await gateway.publish({ topic, attributes: { 'Tenant-Id': 't1' }, data: `${index}` });
      }
      await eventually(() => expect(silent.received).toHaveLength(100));
      expect(silent.packets.filter((packet) => packet.startsWith('42['))).toHaveLength(100);
    });
  });

  describe('what is logged', () => {
    /** Every token and text that looks like a secret, wherever a client can put it. */
    test('8.22 no token is in the output, whatever becomes of it', async () => {
      const { ocms, iam, minted } = gateway.issuers;
      const { url } = gateway;
      const plain = 'PlainSecret0123456789';
      const [machine, person, expired, stranger, foreign, tenantless, roleless] = await Promise.all([
        ocms.mint(),
        iam.mint({ roles: ['sio.websocket-client'] }),
        ocms.mint({ exp: nowS() - 60 }),
        iam.mint({ 'https://extendaretail.com/tenant': 't2' }),
        iam.mint({ iss: 'https://example.com/', aud: 'x' }),
        ocms.mint({ tid: undefined }),
        ocms.mint({ roles: [] }),
      ]);
      const forged = await (await testKey(ocms.key.kid)).sign({ iss: 'https://auth.retailsvc.com/', tid: 't1' });
      const unknown = await (await testKey('unknown')).sign({ iss: 'https://auth.retailsvc.com/', tid: 't1' });
      const secrets = [...minted, forged, unknown, plain];

      // Let in, with tokens where they belong and where they do not.
      const query = { userToken: person, token: machine, jwt: plain, access_token: machine, sessionId: 's1' };
      using both = await connectStock(url, { token: machine, query });
      using _ = await connectStock(url, { token: person, query: { userToken: plain, topics: [topic, machine] } });

      const refused: (readonly [token: string, userToken: string, code: string])[] = [
        [expired, '', 'token_expired'],
        [foreign, '', 'token_issuer_unknown'],
        [tenantless, '', 'token_claims_invalid'],
        [roleless, '', 'access_denied'],
        [forged, '', 'token_signature_invalid'],
        [unknown, '', 'try_later'],
        [plain, '', 'token_malformed'],
        [`Bearer ${machine}`, '', 'token_malformed'],
        [`${machine} ${machine}`, '', 'token_malformed'],
        ['', person, 'token_missing'],
        [machine, stranger, 'credentials_conflict'],
        [machine, expired, 'token_issuer_unknown'],
        [machine, machine, 'token_issuer_unknown'],
        [machine, plain, 'token_malformed'],
      ];
      for (const [token, userToken, code] of refused) {
        const { data } = await refusalOf(url, { token, query: { userToken, jwt: token } });
        expect(data?.code, code).toMatch(code === 'try_later' ? /^(try_later|token_signature_invalid)$/ : code);
      }

      // Before there is a connection.
      const inUrl = `userToken=${person}&token=${machine}&topics=${plain}`;
      await fetch(`${url}/socket.io/?EIO=4&transport=polling&${inUrl}`, {
        headers: { authorization: `Bearer ${machine}` },
      });
      await fetch(`${url}/socket.io/?EIO=4&transport=polling&${inUrl}`, {
        method: 'POST',
        body: `40{"token":"${machine}"}`,
      });
      await fetch(`${url}/nowhere/${machine}?${inUrl}`);
      for (const path of [`/socket.io/?EIO=3&transport=websocket&${inUrl}`, `/elsewhere?${inUrl}`, `/${person}`]) {
        const websocket = new WebSocket(`${url.replace('http', 'ws')}${path}`, {
          headers: { cookie: `token=${plain}` },
        });
        onTestFinished(() => websocket.terminate());
        await new Promise((resolve) => websocket.once('error', resolve));
      }

      // In what clients and publishers send.
      both.socket.emit('token', machine, plain);
      const attributes = { 'Tenant-Id': 't1', Authorization: `Bearer ${machine.slice(0, 900)}`, Secret: plain };
      await gateway.publish({ topic, attributes, data: JSON.stringify({ token: machine, plain }) });
      await gateway.publish({ topic, attributes: { Secret: plain, 'User-Id': plain }, data: plain });
      await gateway.settled();
      await eventually(() => expect(both.received).toHaveLength(1));
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const ready = await (await fetch(`${url}/readyz`)).text();

      const everything = gateway.output() + metrics + ready;
      // What is logged is there: of every refusal, and of every event.
      for (const [, , code] of refused) if (code !== 'try_later') expect(everything).toContain(`"code":"${code}"`);
      expect(everything).toContain('"msg":"event routed"');
      expect(everything).toContain('"msg":"event reaches nobody"');
      const parts = secrets.flatMap((secret) => [secret, ...secret.split('.')]).filter((part) => part !== '');
      expect(parts.filter((part) => everything.includes(part))).toEqual([]);
      // Nor is a piece that is long enough to be recognized.
      expect(parts.filter((part) => part.length > 60 && everything.includes(part.slice(20, 60)))).toEqual([]);
    });
  });
});
