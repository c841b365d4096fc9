export type ClientKind = 'socketio' | 'spaces' | 'relay' | 'signalr' | 'websocket' | 'nats' | 'mqtt' | 'stomp';

/** Clients of a group. */
export const groupSize = 10;

/** How clients of a server are opened, in words that go from one process to another. */
export type ClientSpec = {
  readonly kind: ClientKind;
  readonly port: number;
  readonly token?: string;
  /** A token for each client, in turn. */
  readonly tokens?: readonly string[];
  /** Further rooms of each client, that nobody else is in. */
  readonly topics?: number;
  /** What relay clients bind, each all of it, or only what is for itself. */
  readonly stream?: string;
  readonly ownPattern?: boolean;
  /** Of the events, for protocols that are counted by their bytes. */
  readonly payloadBytes: number;
  readonly user?: string;
  readonly password?: string;
};
