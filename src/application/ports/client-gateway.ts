/** The side of an endpoint that clients connect to. */
export interface ClientGateway {
  readonly name: string;
  readonly state: GatewayState;
  /** How many clients are connected and admitted. */
  readonly connectionCount: number;
  /** What an operator should know of it, by name: such as that everybody may join everything. */
  readonly details?: Readonly<Record<string, string>>;
  /** From here on clients are let in. */
  open(): Promise<void>;
  /**
   * Where clients send: takes nothing from them any more and tells them so. Resolves once the broker has what was taken
   * before, or when the signal aborts; the ways into brokers close after that. Never rejects.
   */
  stopHearing?(deadline: AbortSignal): Promise<void>;
  /**
   * Lets nobody in any more, writes what is queued, then ends every connection so that its client comes back elsewhere.
   * Connections whose bytes are not out when the signal aborts are cut. Idempotent, never rejects.
   */
  close(deadline: AbortSignal): Promise<{ readonly flushed: number; readonly cut: number }>;
}

export type GatewayState = { readonly kind: 'closed' | 'open' | 'closing' };
