import { mqttOpening, natsOpening, stompOpening } from './broker-openings.ts';
import type { ClientKind, ClientSpec } from './client-spec.ts';
import { relayOpening, signalrOpening, socketioOpening, spacesOpening, websocketOpening } from './edge-openings.ts';
import type { Opening } from './opening.ts';

export const openings: Readonly<Record<ClientKind, (spec: ClientSpec, index: number) => Opening>> = {
  socketio: socketioOpening,
  spaces: spacesOpening,
  relay: relayOpening,
  signalr: signalrOpening,
  websocket: websocketOpening,
  nats: natsOpening,
  mqtt: mqttOpening,
  stomp: stompOpening,
};
