/** An expected outcome as a value: what was asked for, or why not. Exceptions are left for faults. */
export type Verdict<T, R = string> = Allowed<T> | Refused<R>;

export type Allowed<T> = { readonly ok: true; readonly value: T };
export type Refused<R = string> = { readonly ok: false; readonly reason: R };

export const allowed = <T>(value: T): Allowed<T> => ({ ok: true, value });
export const refused = <R>(reason: R): Refused<R> => ({ ok: false, reason });
