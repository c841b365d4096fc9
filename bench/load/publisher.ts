/** Clients whom an event is for. */
export type Target =
  | { readonly kind: 'all' }
  | { readonly kind: 'client'; readonly id: number }
  | { readonly kind: 'group'; readonly id: number };

/** @property payload JSON text. */
export type Outgoing = { readonly target: Target; readonly payload: string };

export type Publisher = {
  /** Hands the events over at once, in one request or write where the protocol has that. */
  publish(events: readonly Outgoing[]): Promise<void>;
  /** Resolves when the broker has all of them, of those that are not told so one by one. */
  flush?(): Promise<void>;
  close(): Promise<void>;
};

export type PublisherSpec =
  | ({ readonly kind: 'http' } & HttpPlace)
  | { readonly kind: 'nats' | 'mqtt'; readonly port: number }
  | { readonly kind: 'amqp'; readonly url: string; readonly exchange: string }
  | { readonly kind: 'pubsub'; readonly emulator: string; readonly project: string; readonly topic: string };

/** @property tenant none where events belong to no tenant. */
export type HttpPlace = {
  readonly port: number;
  readonly token?: string;
  readonly stream: string;
  readonly tenant?: string;
};

/** Of an event; those of its tenant alone mean all of them. */
export function attributesOf(target: Target, name?: string): Record<string, string> {
  const tenant = name === undefined ? {} : { 'Tenant-Id': name };
  if (target.kind === 'client') return { ...tenant, 'Workstation-Id': String(target.id) };
  return target.kind === 'group' ? { ...tenant, 'Business-Unit-Id': String(target.id) } : tenant;
}
