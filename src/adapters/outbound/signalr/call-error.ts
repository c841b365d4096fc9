import type { DenialCode } from '../../../domain/denial.ts';

/** What a call is answered with, in ASP.NET's words where it has some (signalr-protocol 4). */
export const callErrors = {
  unknown: (method: string) => `Unknown hub method '${method}'`,
  /** Of the wrong number or type. */
  args: (method: string) => `Failed to invoke '${method}' due to an error on the server.`,
  unauthorized: (method: string) => `Failed to invoke '${method}' because user is unauthorized`,
  streaming: (method: string) =>
    `The client attempted to invoke the streaming '${method}' method with a non-streaming invocation.`,
  notStreaming: (method: string) =>
    `The client attempted to invoke the non-streaming '${method}' method with a streaming invocation.`,
  idTaken: (id: string) => `Invocation ID '${id}' is already in use.`,
  /** Beyond ASP.NET: the code is one of `docs/errors.md`. */
  coded: (method: string, code: DenialCode | 'try_later' | 'not_subscribed') => `Failed to invoke '${method}': ${code}`,
};

/** What somebody hears who was denied. */
export function deniedCall(method: string, code: DenialCode): string {
  if (code === 'query_invalid') return callErrors.args(method);
  const isAboutAccess = code.startsWith('token_') || code === 'access_denied' || code === 'room_denied';
  return isAboutAccess ? callErrors.unauthorized(method) : callErrors.coded(method, code);
}
