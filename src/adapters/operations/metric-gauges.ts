import { Gauge, type Registry } from 'prom-client';
import type { ClientGateway } from '../../application/ports/client-gateway.ts';
import type { EventSource, SourceState } from '../../application/ports/event-source.ts';

export type MetricsParts = {
  readonly version: string;
  readonly sources: () => readonly Pick<EventSource, 'name' | 'state'>[];
  readonly endpoints: () => readonly Pick<ClientGateway, 'name' | 'connectionCount'>[];
};

const sourceStates = [
  'stopped',
  'starting',
  'waiting',
  'consuming',
  'paused',
  'draining',
] as const satisfies readonly SourceState['kind'][];

/** What is now. Sources and endpoints are read when somebody asks, so that nothing drifts. */
export function registerGauges(registry: Registry, { version, sources, endpoints }: MetricsParts) {
  const registers = [registry];
  new Gauge({
    name: 'edgeward_build_info',
    help: 'Always 1; the label says what runs.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'edgeward_connections',
    help: 'Clients that are connected and admitted.',
    labelNames: ['endpoint'],
    registers,
    collect() {
      for (const { name, connectionCount } of endpoints()) this.set({ endpoint: name }, connectionCount);
    },
  });
  new Gauge({
    name: 'edgeward_source_state',
    help: '1 for the state that a source is in, 0 for the others.',
    labelNames: ['source', 'state'],
    registers,
    collect() {
      for (const { name, state } of sources()) {
        for (const kind of sourceStates) this.set({ source: name, state: kind }, state.kind === kind ? 1 : 0);
      }
    },
  });
  return {
    queuedBytes: new Gauge({
      name: 'edgeward_pressure_queued_bytes',
      help: 'Bytes queued for all clients when intake was last paused or resumed.',
      registers,
    }),
    notificationBacklog: new Gauge({
      name: 'edgeward_notification_backlog',
      help: 'Notifications that have fired and are neither sent nor given up, when the sender last looked.',
      labelNames: ['handler'],
      registers,
    }),
    paused: new Gauge({
      name: 'edgeward_pressure_paused',
      help: '1 while intake pauses because too much is queued.',
      registers,
    }),
  };
}
