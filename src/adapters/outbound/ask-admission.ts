import type { Admission, ConnectionAdmission, Presented } from '../../application/ports/admission.ts';
import type { Observer } from '../../application/ports/observer.ts';

export type Door = { readonly endpoint: string; readonly admission: ConnectionAdmission; readonly observer: Observer };

/** Whether somebody is let in. Who rejects in spite of the promise not to cannot tell, and the client is to come back. */
export async function askAdmission(
  { endpoint, admission, observer }: Door,
  connection: string,
  presented: Presented,
  gone: AbortSignal,
): Promise<Admission> {
  try {
    return await admission.admit(connection, presented, gone);
  } catch (error) {
    observer.observe({ kind: 'access-unknown', endpoint, connection, error });
    return { kind: 'try-later', retryAfterMs: 1000 };
  }
}
