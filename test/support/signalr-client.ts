import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IHttpConnectionOptions,
  LogLevel,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { onTestFinished } from 'vitest';

export type SignalrClientOptions = IHttpConnectionOptions & {
  readonly protocol?: 'json' | 'messagepack';
  /** Delays between tries, when the connection is lost. */
  readonly reconnect?: readonly number[];
  readonly negotiate?: boolean;
};

/** The official client, not started; stopped with the test. Without negotiation unless asked for. */
export function signalrClient(url: string, options: SignalrClientOptions = {}): HubConnection {
  const { protocol = 'json', reconnect, negotiate = false, ...others } = options;
  const builder = new HubConnectionBuilder()
    .withUrl(url, { ...others, transport: HttpTransportType.WebSockets, skipNegotiation: !negotiate })
    .configureLogging(LogLevel.None);
  if (protocol === 'messagepack') builder.withHubProtocol(new MessagePackHubProtocol());
  if (reconnect) builder.withAutomaticReconnect([...reconnect]);
  const connection = builder.build();
  onTestFinished(() => connection.stop());
  return connection;
}

/** The texts that a client is called with, as they come. */
export function receivedBy(connection: HubConnection, method = 'ReceiveMessage'): readonly unknown[] {
  const received: unknown[] = [];
  connection.on(method, (argument: unknown) => received.push(argument));
  return received;
}
