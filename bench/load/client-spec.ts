export type ClientKind = 'socketio' | 'spaces' | 'relay' | 'signalr' | 'websocket' | 'nats' | 'mqtt' | 'stomp';

/** How clients of a server are opened, in words that go from one process to another. */
export type ClientSpec = {
  readonly kind: ClientKind;
  readonly port: number;
  readonly token?: string;
  /** A token for each client, in turn. */
  readonly tokens?: readonly string[];
  /** Names of the clients and of the groups of ten begin with it. */
  readonly groupSize?: number;
  /** What relay clients bind. */
  readonly stream?: string;
  /** Of the events, for protocols that are counted by their bytes. */
  readonly payloadBytes: number;
  readonly user?: string;
  readonly password?: string;
};
