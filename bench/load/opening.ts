/** How one client gets from an open TCP connection to where it is sent events. */
export type Opening = {
  readonly path: string;
  readonly subprotocol?: string;
  /** What it says as soon as the WebSocket is open. */
  readonly first?: readonly (string | Buffer)[];
  /** What it makes of a frame that comes before it is ready. Absent: it is ready at once. */
  readonly next?: (payload: Buffer) => Step;
  /** Bytes of what it is sent for an event, of protocols that do not have one WebSocket frame for each. */
  readonly bytesPerEvent?: number;
};

export type Step =
  | { readonly kind: 'wait' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'say'; readonly frames: readonly (string | Buffer)[] }
  | { readonly kind: 'refused'; readonly reason: string };

export const wait: Step = { kind: 'wait' };
export const ready: Step = { kind: 'ready' };
export const say = (...frames: readonly (string | Buffer)[]): Step => ({ kind: 'say', frames });
export const refused = (payload: Buffer): Step => ({ kind: 'refused', reason: payload.toString('utf8', 0, 200) });
