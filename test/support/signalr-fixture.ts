import { onTestFinished } from 'vitest';
import { SendBudget } from '../../src/adapters/outbound/send-budget.ts';
import { createSignalrEndpoint } from '../../src/adapters/outbound/signalr/signalr-endpoint.ts';
import { signalrSettings } from '../../src/adapters/outbound/signalr/signalr-settings.ts';
import type { Admission, Presented, RoomAdmission } from '../../src/application/ports/admission.ts';
import type { Event } from '../../src/domain/event.ts';
import type { RoomName } from '../../src/domain/room.ts';
import { eventOf } from './domain-fixtures.ts';
import { type HubClient, openHub } from './hub-client.ts';
import { startListener } from './listener-fixture.ts';
import { ManualClock } from './manual-clock.ts';
import { letIn } from './relay-fixture.ts';

type Admit = (connection: string, presented: Presented, signal: AbortSignal) => Promise<Admission>;

export type HubOptions = {
  readonly admit?: Admit;
  readonly join?: RoomAdmission['join'];
};

/** An event of the room `r` with this payload. */
export const payloadOf = (text: string | Uint8Array): Event => eventOf({}, { payload: Buffer.from(text) });

/**
 * A listener with one hub that is open, at `/hub`, where everybody may be in the room that `site` names, `r` unless told
 * otherwise. All is gone with the test.
 */
export async function startHub(settings: Readonly<Record<string, unknown>> = {}, options: HubOptions = {}) {
  const { listener, address, observer, [Symbol.asyncDispose]: stop } = await startListener();
  onTestFinished(stop);
  const clock = new ManualClock();
  const budget = new SendBudget(Number.MAX_SAFE_INTEGER, clock, () => undefined);
  const admitAll: Admit = async (connection, presented) => letIn(connection, [presented.read('query.site')[0] ?? 'r']);
  const joinAll: RoomAdmission['join'] = async (_, presented) => ({
    kind: 'joined',
    rooms: presented.read('query.site') as readonly RoomName[],
  });
  const endpoint = createSignalrEndpoint('hub', signalrSettings.parse({ query: { site: {} }, ...settings }), {
    admission: { admit: options.admit ?? admitAll },
    joining: { join: options.join ?? joinAll },
    observer,
    clock,
    surface: listener,
    budget,
  });
  await endpoint.open();
  onTestFinished(async () => void (await endpoint.close(AbortSignal.abort())));
  const url = address.url.replace('http', 'ws');
  return {
    endpoint,
    observer,
    clock,
    budget,
    port: address.port,
    httpUrl: address.url,
    url,
    /** A raw client that has said nothing yet. */
    open: (path = '/hub'): Promise<HubClient> => openHub(`${url}${path}`),
    /** One that has shaken hands. */
    connect: async (path = '/hub'): Promise<HubClient> => {
      const client = await openHub(`${url}${path}`);
      await client.greet();
      return client;
    },
    deliver: (event: Event, ...rooms: readonly string[]) =>
      endpoint.deliver(event, { rooms: (rooms.length === 0 ? ['r'] : rooms) as readonly RoomName[], patterns: [] }),
  };
}
