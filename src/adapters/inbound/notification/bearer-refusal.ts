import type { Denial, DenialCode } from '../../../domain/denial.ts';

/** What callers of brainlife's services know: express-jwt 5.3 with their error handler (brainlife section 2). */
export type BearerRefusal = {
  readonly name: 'UnauthorizedError';
  readonly message: string;
  readonly code: 'credentials_required' | 'credentials_bad_scheme' | 'credentials_bad_format' | 'invalid_token';
  readonly status: 401;
  readonly inner: {
    readonly message: string;
    readonly name?: string;
    readonly expiredAt?: string;
    readonly date?: string;
  };
};

const format = 'Format is Authorization: Bearer [token]';

const refusal = (code: BearerRefusal['code'], message: string, inner: object = {}): BearerRefusal => ({
  name: 'UnauthorizedError',
  message,
  code,
  status: 401,
  inner: { ...inner, message },
});

/** What is wrong with the header by itself; nothing where it holds one token of the right scheme. */
export function headerRefusal(values: readonly string[]): BearerRefusal | undefined {
  const [value, another] = values;
  if (value === undefined || value === '') return refusal('credentials_required', 'No authorization token was found');
  const [scheme = '', token, ...others] = value.split(' ');
  if (another !== undefined || token === undefined || others.length > 0)
    return refusal('credentials_bad_format', format);
  return /^bearer$/i.test(scheme) ? undefined : refusal('credentials_bad_scheme', format);
}

/** The words of jsonwebtoken 8.5. */
const messages: Readonly<Partial<Record<DenialCode, string>>> = {
  token_malformed: 'jwt malformed',
  token_expired: 'jwt expired',
  token_not_yet_valid: 'jwt not active',
  token_signature_invalid: 'invalid signature',
  token_algorithm_refused: 'invalid algorithm',
  token_issuer_unknown: 'jwt issuer invalid',
  token_audience_wrong: 'jwt audience invalid',
};

const names: Readonly<Partial<Record<DenialCode, string>>> = {
  token_expired: 'TokenExpiredError',
  token_not_yet_valid: 'NotBeforeError',
};

/** @param token as it was sent: when it ends stands in it, and its signature was good where that is what is wrong. */
export function tokenRefusal({ code }: Denial, token: string): BearerRefusal {
  const message = messages[code] ?? 'invalid token';
  const name = names[code] ?? 'JsonWebTokenError';
  if (code === 'token_expired') return refusal('invalid_token', message, { name, expiredAt: claimTime(token, 'exp') });
  if (code === 'token_not_yet_valid') return refusal('invalid_token', message, { name, date: claimTime(token, 'nbf') });
  return refusal('invalid_token', message, { name });
}

function claimTime(token: string, claim: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const value =
      typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>)[claim] : undefined;
    return typeof value === 'number' ? new Date(value * 1000).toISOString() : undefined;
  } catch {
    return undefined;
  }
}
