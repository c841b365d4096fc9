import { setTimeout as wait } from 'node:timers/promises';
import { allowed } from '../../domain/verdict.ts';
import type { CommandIo, Complaint } from './command-io.ts';
import type { FollowOptions } from './follow-events.ts';
import { explain, type GatewayAnswer, postJson, shown } from './gateway-request.ts';
import { followHubOnce } from './hub-session.ts';
import { type ObtainedToken, obtainToken, tokenHint } from './obtain-token.ts';
import { below } from './option-values.ts';

export type HubOptions = Omit<FollowOptions, 'namespace'> & {
  /** Path of the hub. */
  readonly path: string;
};

const reconnectDelayMsMin = 500;
const reconnectDelayMsMax = 5000;
/** What a gateway may ask for that says "try later". */
const comeBackMsMax = 60_000;

/** What became of one try to be a client. */
type Attempt =
  | { readonly kind: 'enough' }
  | { readonly kind: 'lost' | 'refused'; readonly reason: string }
  /** There was nobody. */
  | { readonly kind: 'away'; readonly complaint: Complaint }
  /** There was no telling. */
  | { readonly kind: 'later'; readonly delayMs: number }
  | { readonly kind: 'denied'; readonly answer: GatewayAnswer };

type Progress = {
  token: ObtainedToken | undefined;
  /** How often it was connected. */
  connections: number;
  /** Since it was connected last. */
  failures: number;
  hasRenewed: boolean;
};

/**
 * Is a SignalR client of a gateway's hub until there were enough events; connects again by itself. A gateway that was never
 * reached is not waited for. It negotiates, since only that says why somebody is refused.
 *
 * @returns why it ended, when it was not enough events.
 */
export async function followHub(io: CommandIo, options: HubOptions): Promise<Complaint | undefined> {
  const { gateway, subject, onNote } = options;
  const given = { url: gateway, ...(options.token === undefined ? {} : { token: options.token }) };
  const progress: Progress = { token: undefined, connections: 0, failures: 0, hasRenewed: false };
  const onConnected = () => {
    Object.assign(progress, { connections: progress.connections + 1, failures: 0, hasRenewed: false });
    onNote(`connected to ${shown(gateway)}${options.path}`);
  };
  while (!io.interrupted.aborted) {
    const token = progress.token ? allowed(progress.token) : await obtainToken(io, given, subject);
    if (!token.ok) return token.reason;
    progress.token = token.value;
    const attempt = await tryOnce(io, options, token.value.token, onConnected);
    if (io.interrupted.aborted) break;
    if (attempt.kind === 'enough') return undefined;
    const complaint = complaintAfter(attempt, options, progress);
    if (complaint) return complaint;
    await beforeNext(attempt, options, progress, io.interrupted);
  }
  return { exit: 'interrupted', message: 'interrupted' };
}

/** Why there is no use in another try. */
function complaintAfter(
  attempt: Exclude<Attempt, { kind: 'enough' }>,
  options: HubOptions,
  { token, connections, hasRenewed }: Progress,
): Complaint | undefined {
  if (attempt.kind === 'refused') return refused(options, attempt.reason);
  if (attempt.kind === 'away') return connections === 0 ? attempt.complaint : undefined;
  if (attempt.kind !== 'denied') return undefined;
  const mayRenew = attempt.answer.status === 401 && connections > 0 && !hasRenewed && token?.from === 'development';
  return mayRenew ? undefined : denied(options, attempt.answer, token);
}

async function beforeNext(
  attempt: Attempt,
  { onNote }: HubOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  if (attempt.kind === 'denied') {
    onNote('the token is no longer taken; asking for another one');
    Object.assign(progress, { token: undefined, hasRenewed: true });
    return;
  }
  if (progress.failures === 0) onNote(noteOf(attempt));
  progress.failures += 1;
  await pause(attempt.kind === 'later' ? attempt.delayMs : delayMs(progress.failures), signal);
}

async function tryOnce(
  io: CommandIo,
  { gateway, path, query, onEvent }: HubOptions,
  token: string | undefined,
  onConnected: () => void,
): Promise<Attempt> {
  const fields = new URLSearchParams(query);
  const negotiate = new URLSearchParams([...fields, ['negotiateVersion', '1']]);
  const url = below(gateway, path);
  const answer = await postJson(io, { gateway, url: `${url}/negotiate?${negotiate.toString()}`, body: '{}', token });
  if (!answer.ok) return { kind: 'away', complaint: answer.reason };
  const { status, body, retryAfter } = answer.value;
  if (status === 503) return { kind: 'later', delayMs: Math.min(Number(retryAfter) * 1000 || 1000, comeBackMsMax) };
  if (status !== 200) return { kind: 'denied', answer: answer.value };
  const id = tokenOf(body);
  if (id === undefined) return { kind: 'denied', answer: answer.value };
  fields.set('id', id);
  const session = { url: `${url.replace(/^http/, 'ws')}?${fields.toString()}`, token, onConnected, onEvent };
  return await followHubOnce(session, io.interrupted);
}

function tokenOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('connectionToken' in body)) return undefined;
  return typeof body.connectionToken === 'string' ? body.connectionToken : undefined;
}

function noteOf(attempt: Attempt): string {
  if (attempt.kind === 'later') return `the gateway cannot tell now; coming back in ${attempt.delayMs} ms`;
  if (attempt.kind === 'away') return `${attempt.complaint.message} Trying again.`;
  return `connection lost (${'reason' in attempt ? attempt.reason : attempt.kind}); connecting again`;
}

const refused = ({ gateway, path }: HubOptions, reason: string): Complaint => ({
  exit: 'refused',
  message: `${shown(gateway)}${path} has ended the connection for good: ${reason}.`,
});

function denied({ gateway, path }: HubOptions, answer: GatewayAnswer, token: ObtainedToken | undefined): Complaint {
  const hint = answer.status === 401 && token?.from === 'nowhere' ? ` ${tokenHint}` : '';
  const place = answer.status === 404 ? ' Is there a hub at this path, and does it negotiate?' : '';
  const message = `${shown(gateway)}${path} refuses the connection: ${explain(answer)}.${place}${hint}`;
  return { exit: 'refused', message };
}

const delayMs = (failures: number): number =>
  Math.min(reconnectDelayMsMin * 2 ** Math.min(failures - 1, 10), reconnectDelayMsMax) * (0.5 + Math.random() / 2);

const pause = (durationMs: number, signal: AbortSignal): Promise<void> =>
  wait(durationMs, undefined, { signal }).catch(() => undefined);
