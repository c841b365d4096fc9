/** What a client says (signalr-protocol 3). */
export type HubMessage =
  | ({ readonly kind: 'invocation'; readonly id: string | undefined } & Call)
  | ({ readonly kind: 'stream-invocation'; readonly id: string } & Call)
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'ping' | 'close' | 'ignored' };

export type Call = { readonly method: string; readonly args: readonly unknown[] };

/** The parts of a record, wherever its protocol has them; `undefined` where it has none. */
export type RecordParts = {
  readonly type: unknown;
  readonly id: unknown;
  readonly target: unknown;
  readonly args: unknown;
};

/** The types of records. */
export const recordTypes = {
  invocation: 1,
  item: 2,
  completion: 3,
  streamInvocation: 4,
  cancel: 5,
  ping: 6,
  close: 7,
} as const;

const ignored: HubMessage = { kind: 'ignored' };

/**
 * `undefined` for a record that breaks the protocol. Types that mean something from a server only, those of the stateful
 * reconnect and unknown ones are ignored, whatever else is in the record.
 */
export function hubMessage({ type, id, target, args }: RecordParts): HubMessage | undefined {
  if (!Number.isInteger(type)) return undefined;
  switch (type) {
    case recordTypes.invocation:
    case recordTypes.streamInvocation: {
      if (typeof target !== 'string' || !Array.isArray(args)) return undefined;
      const call = { method: target, args };
      if (type === recordTypes.streamInvocation) {
        return typeof id === 'string' ? { kind: 'stream-invocation', id, ...call } : undefined;
      }
      const isNamed = id !== undefined && id !== null;
      if (isNamed && typeof id !== 'string') return undefined;
      return { kind: 'invocation', id: isNamed ? id : undefined, ...call };
    }
    case recordTypes.cancel:
      return typeof id === 'string' ? { kind: 'cancel', id } : ignored;
    case recordTypes.ping:
      return { kind: 'ping' };
    case recordTypes.close:
      return { kind: 'close' };
    default:
      return ignored;
  }
}
