import { Fault } from '../../../application/fault.ts';

/** What was asked of the broker, for the words of a fault. */
export type AmqpPlace = {
  readonly source: string;
  /** Such as `queue "q"` or `exchange "e"`. */
  readonly resource: string;
  /** `host:port` */
  readonly address: string;
  readonly vhost: string;
};

type MakeFault = (place: AmqpPlace, cause: Error) => Fault;

const named = ({ source }: AmqpPlace): string => `source "${source}":`;

const failed: MakeFault = (place, cause) =>
  new Fault(
    'amqp_failed',
    'retry',
    `${named(place)} RabbitMQ at ${place.address} failed on ${place.resource}; it is tried again`,
    cause,
  );

const unreachable: MakeFault = (place, cause) =>
  new Fault(
    'amqp_unreachable',
    'retry',
    `${named(place)} RabbitMQ at ${place.address} does not answer for ${place.resource}; see whether it runs and can be reached`,
    cause,
  );

const closed: MakeFault = (place, cause) =>
  new Fault(
    'amqp_closed',
    'retry',
    `${named(place)} RabbitMQ at ${place.address} has closed the connection for ${place.resource}; it is opened again`,
    cause,
  );

const tlsFailed: MakeFault = (place, cause) =>
  new Fault(
    'amqp_tls_failed',
    'stop',
    `${named(place)} no TLS with RabbitMQ at ${place.address}; see its port, and the files and names of \`tls\``,
    cause,
  );

const credentialsRefused: MakeFault = (place, cause) =>
  new Fault(
    'amqp_credentials_refused',
    'stop',
    `${named(place)} RabbitMQ at ${place.address} refuses the user name and password of the URL; correct them`,
    cause,
  );

const vhostRefused: MakeFault = (place, cause) =>
  new Fault(
    'amqp_vhost_refused',
    'stop',
    `${named(place)} RabbitMQ at ${place.address} does not let this user into the vhost "${place.vhost}"; create it, grant it, or correct the config`,
    cause,
  );

const notPermitted: MakeFault = (place, cause) =>
  new Fault(
    'amqp_permission_missing',
    'stop',
    `${named(place)} this user of RabbitMQ at ${place.address} may not use ${place.resource} in the vhost "${place.vhost}"; the cause says for what`,
    cause,
  );

const missing: MakeFault = (place, cause) =>
  new Fault(
    'amqp_missing',
    'stop',
    `${named(place)} ${place.resource} does not exist in the vhost "${place.vhost}" at ${place.address}; create it, or correct the config`,
    cause,
  );

const locked: MakeFault = (place, cause) =>
  new Fault(
    'amqp_locked',
    'retry',
    `${named(place)} somebody else has ${place.resource} at ${place.address} to himself; end the other one`,
    cause,
  );

const refused: MakeFault = (place, cause) =>
  new Fault(
    'amqp_refused',
    'stop',
    `${named(place)} RabbitMQ at ${place.address} refuses what is asked of ${place.resource}; the cause says why`,
    cause,
  );

/** Reply codes of AMQP 0-9-1 (section 1.1 of its XML-defined reference) that mean something of their own. */
const replies: Readonly<Record<number, MakeFault>> = {
  311: refused,
  320: closed,
  403: notPermitted,
  404: missing,
  405: locked,
  406: refused,
  501: refused,
  505: refused,
  530: refused,
};

/** Something that was sent is no frame, or stands in the wrong place. */
const framing: ReadonlySet<unknown> = new Set([501, 505]);

/** Whether the broker closes the connection over what was sent. It does not say what that was. */
export const isOverFrame = (error: unknown): boolean => framing.has(codeOf(error));

/** What Node says of a connection that does not come about, or ends. */
const systemErrors: Readonly<Record<string, MakeFault>> = {
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EPIPE: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EPROTO: tlsFailed,
  CERT_HAS_EXPIRED: tlsFailed,
  DEPTH_ZERO_SELF_SIGNED_CERT: tlsFailed,
  SELF_SIGNED_CERT_IN_CHAIN: tlsFailed,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: tlsFailed,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: tlsFailed,
};

/** amqplib's own words, where an error has no code. */
const sentences: readonly (readonly [RegExp, MakeFault])[] = [
  [/^Handshake terminated by server: 403\b/, credentialsRefused],
  [/^SASL mechanism /, credentialsRefused],
  // It does not say what the broker says.
  [/^Expected ConnectionOpenOk; got <ConnectionClose\b/, vhostRefused],
  [
    /ETIMEDOUT|^Heartbeat timeout|^Unexpected close|^Socket closed abruptly|^Connection closed|^Channel ended/,
    unreachable,
  ],
];

function kindOf(error: unknown): MakeFault {
  const code = codeOf(error);
  if (code === 403 && messageOf(error).includes('in exclusive use')) return locked;
  if (typeof code === 'number') return replies[code] ?? failed;
  if (typeof code === 'string') return systemErrors[code] ?? (/^ERR_(TLS|SSL)_/.test(code) ? tlsFailed : failed);
  const says = messageOf(error);
  return sentences.find(([words]) => words.test(says))?.[1] ?? failed;
}

/** The reply code of AMQP, or what Node calls an error of the system. */
export function codeOf(error: unknown): number | string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' || typeof code === 'string' ? code : undefined;
}

/** Whether the broker says that there is no such queue (any more). */
export const namesMissingQueue = (error: unknown, queue: string): boolean =>
  codeOf(error) === 404 && messageOf(error).includes(`no queue '${queue}'`);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'no details');

/** A broker's own words are kept up to this length. */
const detailsCharactersMax = 300;

/** Never the vendor's error itself: that one may hold what was sent. */
export function amqpFault(error: unknown, place: AmqpPlace): Fault {
  const details = messageOf(error).slice(0, detailsCharactersMax).toWellFormed();
  return kindOf(error)(place, new Error(details));
}

export const amqpUnanswered = (place: AmqpPlace): Fault =>
  unreachable(place, new Error('the time that an answer may take is over'));

/** Why nobody waits for the answer any more: the time of the start is over, or the source has been drained in it. */
export const amqpStartOver = (place: AmqpPlace, over: AbortSignal): Fault =>
  over.reason instanceof Fault ? over.reason : amqpUnanswered(place);

/** Nothing is wrong but that the broker is not there, or not any more. */
export const isAway = ({ code }: Fault): boolean => code === 'amqp_unreachable' || code === 'amqp_closed';

export const amqpTlsFile = (place: AmqpPlace, setting: string, cause: Error): Fault =>
  tlsFailed(place, new Error(`\`tls.${setting}\` cannot be read`, { cause }));

export const amqpConsumerCancelled = (place: AmqpPlace): Fault =>
  new Fault(
    'amqp_consumer_cancelled',
    'retry',
    `${named(place)} RabbitMQ at ${place.address} consumes ${place.resource} no more for us; it was deleted, or has moved`,
  );

export const amqpBlocked = (place: AmqpPlace, reason: string): Fault =>
  new Fault(
    'amqp_blocked',
    'retry',
    `${named(place)} RabbitMQ at ${place.address} takes nothing for now (${reason}); see its alarms`,
  );

/** The exchange has gone since it was looked for. */
export const amqpExchangeGone = (place: AmqpPlace, { cause }: Fault): Fault =>
  missing(place, cause instanceof Error ? cause : new Error('no details'));

export const amqpUnroutable = (source: string, exchange: string): Fault =>
  new Fault(
    'amqp_unroutable',
    'dead-letter',
    `source "${source}": the exchange "${exchange}" leads to no queue for this key; bind one`,
  );

export const amqpNacked = (source: string, exchange: string): Fault =>
  new Fault(
    'amqp_nacked',
    'retry',
    `source "${source}": a queue behind the exchange "${exchange}" could not take the event; publish it again`,
  );

export const amqpUnpublishable = (source: string, cause: unknown): Fault =>
  new Fault(
    'amqp_unpublishable',
    'dead-letter',
    `source "${source}": AMQP cannot carry this event; the cause says why`,
    cause,
  );

export const amqpUnconfirmed = (source: string, afterMs: number, cause: unknown): Fault =>
  new Fault(
    'amqp_unconfirmed',
    'retry',
    `source "${source}": RabbitMQ has not confirmed an event within ${afterMs} ms; it may have it nevertheless`,
    cause,
  );

export const amqpPublisherFull = (source: string): Fault =>
  new Fault(
    'amqp_publisher_full',
    'retry',
    `source "${source}": as many events as may be wait for RabbitMQ; publish again later`,
  );

export const amqpDraining = (source: string): Fault =>
  new Fault('amqp_draining', 'retry', `source "${source}" is draining; ask another instance, or again later`);

export const amqpOverflow = (source: string, bytesMax: number): Fault =>
  new Fault(
    'amqp_overflow',
    'retry',
    `source "${source}": more than ${bytesMax} bytes wait for clients here; the oldest messages are dropped`,
  );
