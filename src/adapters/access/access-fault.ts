import { BrokenCircuitError, BulkheadRejectedError } from 'cockatiel';
import { Fault } from '../../application/fault.ts';

/** There is no telling now. The reason holds no URL, since a URL may hold a variable. */
export const checkUnavailable = (name: string, reason: string, retryAfterMs?: number): Fault =>
  new Fault('check_unavailable', 'retry', `the check "${name}" has no answer: ${reason}`, undefined, retryAfterMs);

export const isOpenCircuit = (error: unknown): boolean => error instanceof BrokenCircuitError;

/** A fault for whatever ended a request. */
export function checkFault(name: string, error: unknown): Fault {
  if (isOpenCircuit(error)) return checkUnavailable(name, 'it failed too often, so it is left alone for a while');
  if (error instanceof BulkheadRejectedError) return checkUnavailable(name, 'too many requests wait for it');
  if (!(error instanceof Fault)) return checkUnavailable(name, 'it failed');
  return error.code === 'check_unavailable' ? error : checkUnavailable(name, error.message);
}
