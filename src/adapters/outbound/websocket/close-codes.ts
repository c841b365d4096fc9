/** Why the endpoint ends a connection with a close frame; `docs/relay-protocol.md` says what a client does then. */
export const closeCodes = {
  /** Nothing was bound for too long. */
  idle: 1000,
  /** Not for you: the reason is the code of the denial. */
  denied: 1008,
  /** The gateway restarts, or moves on. */
  restart: 1012,
  /** There is no telling now, or the token has ended: come back. */
  comeBack: 1013,
} as const;

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];
