import { Fault } from '../../../application/fault.ts';

/** What was asked of Pub/Sub, for the words of a fault. */
export type PubSubPlace = {
  readonly source: string;
  /** Such as `subscription "s"` or `topic "t"`. */
  readonly resource: string;
  /** Which IAM permission it takes. */
  readonly permission: string;
  readonly address: string;
};

/** What a status means at a place, with the server's own words. */
type MakeFault = (place: PubSubPlace, details: string, cause: Error) => Fault;

const failed: MakeFault = ({ source, resource, address }, details, cause) =>
  new Fault(
    'pubsub_failed',
    'retry',
    `source "${source}": Pub/Sub at ${address} failed on ${resource}: ${details}`,
    cause,
  );

const unreachable: MakeFault = ({ source, resource, address }, _details, cause) =>
  new Fault(
    'pubsub_unreachable',
    'retry',
    `source "${source}": Pub/Sub at ${address} does not answer for ${resource}; see whether it can be reached`,
    cause,
  );

const refused: MakeFault = ({ source, resource, address }, details, cause) =>
  new Fault(
    'pubsub_refused',
    'stop',
    `source "${source}": Pub/Sub at ${address} refuses what is asked of ${resource}: ${details}`,
    cause,
  );

const missing: MakeFault = ({ source, resource, address }, _details, cause) =>
  new Fault(
    'pubsub_missing',
    'stop',
    `source "${source}": ${resource} does not exist at ${address}; create it ("edgeward topology apply" does), or correct the config`,
    cause,
  );

const notPermitted: MakeFault = ({ source, resource, permission }, _details, cause) =>
  new Fault(
    'pubsub_permission_missing',
    'stop',
    `source "${source}": these credentials lack ${permission} on ${resource}; grant a role that has it`,
    cause,
  );

const notAuthenticated: MakeFault = ({ source, resource, address }, _details, cause) =>
  new Fault(
    'pubsub_credentials_refused',
    'stop',
    `source "${source}": Pub/Sub at ${address} refuses the credentials for ${resource}; replace them`,
    cause,
  );

const exhausted: MakeFault = ({ source, resource, address }, _details, cause) =>
  new Fault(
    'pubsub_quota_exhausted',
    'retry',
    `source "${source}": a quota of Pub/Sub at ${address} is used up for ${resource}; raise it, or ask less`,
    cause,
  );

/** By status code (https://grpc.io/docs/guides/status-codes/, https://cloud.google.com/pubsub/docs/reference/error-codes). */
const statuses: Readonly<Record<number, readonly [name: string, make: MakeFault]>> = {
  1: ['CANCELLED', failed],
  2: ['UNKNOWN', failed],
  3: ['INVALID_ARGUMENT', refused],
  4: ['DEADLINE_EXCEEDED', unreachable],
  5: ['NOT_FOUND', missing],
  6: ['ALREADY_EXISTS', refused],
  7: ['PERMISSION_DENIED', notPermitted],
  8: ['RESOURCE_EXHAUSTED', exhausted],
  9: ['FAILED_PRECONDITION', refused],
  10: ['ABORTED', failed],
  11: ['OUT_OF_RANGE', refused],
  12: ['UNIMPLEMENTED', refused],
  13: ['INTERNAL', failed],
  14: ['UNAVAILABLE', unreachable],
  15: ['DATA_LOSS', failed],
  16: ['UNAUTHENTICATED', notAuthenticated],
};

export const deadlineExceeded = 4;
export const notFound = 5;
export const alreadyExists = 6;
export const permissionDenied = 7;
export const unavailable = 14;

/** A server's own words are kept up to this length. */
const detailsCharactersMax = 200;

/**
 * What an error of a call means. Its cause is a text of our own: the vendor's errors hold headers and, some of them, what
 * was sent.
 */
export function pubsubFault(error: unknown, place: PubSubPlace): Fault {
  if (error instanceof Fault) return error;
  const [name, makeFault] = statuses[statusOf(error) ?? 2] ?? ['UNKNOWN', failed];
  const details = detailsOf(error);
  return makeFault(place, details, new Error(`${name}: ${details}`));
}

/** The status code of gRPC, where an error has one. */
export function statusOf(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

function detailsOf(error: unknown): string {
  const given = typeof error === 'object' && error !== null && 'details' in error ? error.details : undefined;
  const text = typeof given === 'string' ? given : error instanceof Error ? error.message : 'no details';
  return text.slice(0, detailsCharactersMax).toWellFormed();
}

/** A subscription that is there and does not fit the config. */
export const subscriptionUnfit = ({ source, resource }: PubSubPlace, why: string): Fault =>
  new Fault('pubsub_subscription_unfit', 'stop', `source "${source}": ${resource} ${why}`);

/** Of what could not be looked at nothing is known; it is consumed from all the same. */
export const subscriptionUnchecked = ({ source, resource, permission }: PubSubPlace): Fault =>
  new Fault(
    'pubsub_subscription_unchecked',
    'retry',
    `source "${source}": these credentials lack ${permission} on ${resource}; its topic, message ordering and dead letter ` +
      'policy are taken to be as the config says',
  );

export const topicUnknown = ({ source, resource, permission }: PubSubPlace, subscription: string): Fault =>
  new Fault(
    'pubsub_permission_missing',
    'stop',
    `source "${source}": these credentials lack ${permission} on ${resource}, so its topic is not known; grant it, or ` +
      `name the topic in the config: TOPIC:${subscription}`,
  );

/** The error of who looked for credentials may quote the file that it found. */
export const credentialsMissing = (source: string, address: string): Fault =>
  new Fault(
    'pubsub_credentials_missing',
    'stop',
    `source "${source}": there are no credentials for Pub/Sub at ${address} that can be used; set credentialsFile, or ` +
      'give this machine some',
  );

export const settlementsLost = ({ source, resource, address }: PubSubPlace): Fault =>
  new Fault(
    'pubsub_settlements_lost',
    'retry',
    `source "${source}": settlements for ${resource} did not reach ${address}; it offers these messages again`,
  );

export const drainedInStart = (source: string): Fault =>
  new Fault('pubsub_start_given_up', 'stop', `source "${source}" was told to stop while it started`);

export const publisherFull = (source: string): Fault =>
  new Fault(
    'pubsub_publisher_full',
    'retry',
    `source "${source}": as many events wait for Pub/Sub as may (publish.pendingMax, publish.pendingBytesMax)`,
  );

export const publisherDraining = (source: string): Fault =>
  new Fault('pubsub_draining', 'retry', `source "${source}" is draining; ask another instance, or again later`);

export const unpublishable = (source: string, reason: string): Fault =>
  new Fault('pubsub_unpublishable', 'dead-letter', `source "${source}": Pub/Sub never takes such an event: ${reason}`);
