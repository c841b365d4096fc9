import { redactSecrets } from './redact-secrets.ts';

/** An error as a plain record without secrets. Only what is named here is taken: vendors hang requests on errors. */
export type ErrorDescription = {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
  readonly errors?: readonly ErrorDescription[];
};

const textLengthMax = 2000;
const stackLengthMax = 8000;
const causeDepthMax = 4;
const errorsMax = 5;

/** Text without secrets, cut to a length that a log line can have. */
export const safeText = (text: string, lengthMax = textLengthMax): string => {
  const redacted = redactSecrets(text);
  return redacted.length > lengthMax ? `${redacted.slice(0, lengthMax)}… (${redacted.length} characters)` : redacted;
};

/** @param withStack where in the code it happened, for errors that nobody expects. */
export function describeError(error: unknown, withStack = false, depth = 1): ErrorDescription {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: typeof error === 'string' ? safeText(error) : 'no Error was thrown' };
  }
  const inner = (cause: unknown) => describeError(cause, withStack, depth + 1);
  const deeper = depth < causeDepthMax;
  return {
    type: error.name,
    message: safeText(error.message),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(withStack && error.stack !== undefined ? { stack: safeText(error.stack, stackLengthMax) } : {}),
    ...(deeper && error.cause !== undefined ? { cause: inner(error.cause) } : {}),
    ...(deeper && error instanceof AggregateError ? { errors: error.errors.slice(0, errorsMax).map(inner) } : {}),
  };
}
