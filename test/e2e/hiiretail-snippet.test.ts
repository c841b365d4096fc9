import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type HiiretailGateway, startHiiretail } from '../support/hiiretail-gateway.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

/** The topic of the page's samples. */
const topic = 'che.public.event.session-changed.v1';

describeWithPubSub('hiiretail: the samples of the page', () => {
  let gateway: HiiretailGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics: [topic] });
    url = gateway.url;
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  type Handled = readonly [data: unknown, meta: Readonly<Record<string, unknown>>];

  /** Waits until the sample is connected, and keeps what its handler gets. */
  async function run(socket: Socket): Promise<readonly Handled[]> {
    onTestFinished(() => void socket.disconnect());
    const handled: Handled[] = [];
    socket.on(topic, (data, meta) => handled.push([data, meta]));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return handled;
  }

  /** What the producer of the page's sample publishes. */
  const published = {
    topic,
    data: JSON.stringify({ session: 'changed' }),
    attributes: {
      'Tenant-Id': 't1',
      'Business-Unit-Id': 'u1',
      'Additional-Business-Unit-Rooms': 'workstations/001,workstation-types/scanngo',
      'Correlation-Id': 'c-1',
    },
  };

  /** What a handler of the page's sample gets. */
  async function handles(handled: readonly Handled[]) {
    const messageId = await gateway.publish(published);
    await eventually(() => expect(handled).toHaveLength(1));
    expect(handled).toEqual([
      [
        { session: 'changed' },
        {
          publishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          messageId,
          tenantId: 't1',
          businessUnitId: 'u1',
          additionalBusinessUnitRooms: 'workstations/001,workstation-types/scanngo',
          correlationId: 'c-1',
        },
      ],
    ]);
  }

  const roles = ['sio.websocket-client', 'sio.bu-rooms-client'];

  test('8.1 the sample with an OCMS token', async () => {
    const token = await gateway.issuers.ocms.mint({ tid: 't1', business_unit_id: 'u1', workstation_id: '001' });
    const socket = io(url, {
      transports: ['websocket'],
      auth: { token },
    });
    await handles(await run(socket));
  });

  test('8.1 the sample with an OCMS token and additional rooms', async () => {
    const token = await gateway.issuers.ocms.mint({ tid: 't1', business_unit_id: 'u1', roles });
    const socket = io(url, {
      transports: ['websocket'],
      auth: { token },
      query: {
        additionalBusinessUnitRooms: ['workstations/001', 'workstation-types/scanngo'],
      },
    });
    await handles(await run(socket));
  });

  test('8.1 the sample with an IAM token', async () => {
    const token = await gateway.issuers.iam.mint({ roles: ['sio.websocket-client'] });
    const socket = io(url, {
      transports: ['websocket'],
      auth: { token },
    });
    const handled = await run(socket);
    await gateway.publish({ topic, attributes: { 'Tenant-Id': 't1' }, data: '{"for":"everybody"}' });
    await eventually(() =>
      expect(handled).toEqual([[{ for: 'everybody' }, expect.objectContaining({ tenantId: 't1' })]]),
    );
  });

  test('8.1 the sample with an OCMS token and an IAM token', async () => {
    const token = await gateway.issuers.ocms.mint({ tid: 't1', business_unit_id: 'u1', workstation_id: '001', roles });
    const userToken = await gateway.issuers.iam.mint();
    const socket = io(url, {
      transports: ['websocket'],
      auth: { token },
      query: {
        userToken,
        sessionId: randomUUID(),
        topics: [topic, 'att.private.notification.baskets.v1'],
        additionalBusinessUnitRooms: ['workstation-types/scanngo'],
      },
    });
    await handles(await run(socket));
  });
});
