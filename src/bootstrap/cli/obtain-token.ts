import type { TokenSubject } from '../../adapters/identity/sign-token.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import type { CommandIo, Complaint } from './command-io.ts';
import { explain, type GatewayAnswer, postJson, shown } from './gateway-request.ts';
import { below } from './option-values.ts';
import { type GivenToken, tokenVariable } from './token-options.ts';

/** The token to present, and whether another one could be had; none where the gateway issues none. */
export type ObtainedToken = { readonly token: string | undefined; readonly from: 'given' | 'development' | 'nowhere' };

/** The one that was given, else one that the gateway issues itself, if it does. */
export async function obtainToken(
  io: CommandIo,
  { url, token }: GivenToken,
  subject: TokenSubject,
): Promise<Verdict<ObtainedToken, Complaint>> {
  const given = token ?? io.env[tokenVariable];
  if (given !== undefined && given !== '') return allowed({ token: given, from: 'given' });
  const issued = await requestToken(io, url, subject);
  if (issued.ok) return allowed({ token: issued.value, from: 'development' });
  return issued.reason === 'not-issued' ? allowed({ token: undefined, from: 'nowhere' }) : refused(issued.reason);
}

/** A token of the development issuer of a running gateway. */
export async function requestToken(
  io: CommandIo,
  gateway: URL,
  subject: TokenSubject & { readonly expiresInMs?: number },
): Promise<Verdict<string, Complaint | 'not-issued'>> {
  const url = below(gateway, '/v1/development/tokens');
  const answer = await postJson(io, { gateway, url, body: JSON.stringify(subject) });
  if (!answer.ok) return answer;
  const { status } = answer.value;
  if (status === 404 || status === 405) return refused('not-issued');
  const token = tokenOf(answer.value);
  if (status === 201 && token !== undefined) return allowed(token);
  const message = `${shown(gateway)} gives no development token: ${explain(answer.value)}.`;
  if (status === 403) return refused({ exit: 'refused', message: `${message} ${tokenHint}` });
  return refused({ exit: status === 503 ? 'tryLater' : 'refused', message });
}

/** What to do where no token can be had. */
export const tokenHint = `Put a token into the environment variable ${tokenVariable}, or pass --token.`;

export const notIssued = (gateway: URL): Complaint => ({
  exit: 'refused',
  message: `${shown(gateway)} issues no development tokens. ${tokenHint}`,
});

function tokenOf({ body }: GatewayAnswer): string | undefined {
  if (typeof body !== 'object' || body === null || !('token' in body)) return undefined;
  return typeof body.token === 'string' ? body.token : undefined;
}
