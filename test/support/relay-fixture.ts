import { onTestFinished } from 'vitest';
import { SendBudget } from '../../src/adapters/outbound/send-budget.ts';
import { createRelayEndpoint } from '../../src/adapters/outbound/websocket/relay-endpoint.ts';
import { websocketSettings } from '../../src/adapters/outbound/websocket/websocket-settings.ts';
import type { Admission, BindAdmission, Presented } from '../../src/application/ports/admission.ts';
import { createTopicBindings } from '../../src/application/topic-bindings.ts';
import type { Event } from '../../src/domain/event.ts';
import { anonymous } from '../../src/domain/principal.ts';
import type { RoomName } from '../../src/domain/room.ts';
import { patternOf } from './domain-fixtures.ts';
import { startListener } from './listener-fixture.ts';
import { ManualClock } from './manual-clock.ts';
import { openRelay, type RelayClient } from './relay-client.ts';

type Admit = (connection: string, presented: Presented, signal: AbortSignal) => Promise<Admission>;

export type RelayOptions = {
  readonly admit?: Admit;
  readonly bind?: BindAdmission['bind'];
  readonly isConnected?: () => boolean;
  readonly queuesBytesMax?: number;
};

/** Lets a connection in. */
export const letIn = (connection: string, rooms: readonly string[] = [], closesAt?: number): Admission => ({
  kind: 'admitted',
  session: { connection, principal: anonymous, variables: new Map(), tokens: new Map() },
  rooms: rooms as readonly RoomName[],
  closesAt,
});

/** A listener with one relay endpoint that is open, where everybody may bind everything. All is gone with the test. */
export async function startRelay(settings: Readonly<Record<string, unknown>> = {}, options: RelayOptions = {}) {
  const { listener, address, observer, [Symbol.asyncDispose]: stop } = await startListener();
  onTestFinished(stop);
  const clock = new ManualClock();
  const bindings = createTopicBindings(() => []);
  const pressure: boolean[] = [];
  const budget = new SendBudget(options.queuesBytesMax ?? Number.MAX_SAFE_INTEGER, clock, (paused) =>
    pressure.push(paused),
  );
  const bindAll: BindAdmission['bind'] = async (_, { stream, key }, signal) => {
    const bound = await bindings.bind({ stream, pattern: patternOf(key) }, signal);
    return bound.ok ? { kind: 'bound', ...bound.value } : { kind: 'denied', denial: bound.reason };
  };
  const admitAll: Admit = async (connection, presented) => letIn(connection, presented.read('query.rooms'));
  const endpoint = createRelayEndpoint('relay', websocketSettings.parse({ pingIntervalMs: 0, ...settings }), {
    admission: { admit: options.admit ?? admitAll },
    binding: { bind: options.bind ?? bindAll },
    observer,
    clock,
    surface: listener,
    budget,
    isConnected: options.isConnected ?? (() => true),
  });
  await endpoint.open();
  onTestFinished(async () => void (await endpoint.close(AbortSignal.abort())));
  const url = address.url.replace('http', 'ws');
  return {
    endpoint,
    bindings,
    observer,
    clock,
    budget,
    pressure,
    port: address.port,
    httpUrl: address.url,
    url,
    open: (path = '/subscribe'): Promise<RelayClient> => openRelay(`${url}${path}`),
    deliver: (event: Event, rooms: readonly string[] = []) =>
      endpoint.deliver(event, { rooms: rooms as readonly RoomName[], patterns: bindings.match(event) }),
  };
}
