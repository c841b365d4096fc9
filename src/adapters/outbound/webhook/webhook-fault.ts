import { Fault } from '../../../application/fault.ts';

export const webhookUnreachable = (code: string): Fault =>
  new Fault(
    'webhook_unreachable',
    'retry',
    'the receiver of a webhook does not answer; it is tried again',
    new Error(code),
  );

export const webhookRefused = (status: number, retryAfterMs: number | undefined): Fault =>
  new Fault(
    'webhook_refused',
    'retry',
    `the receiver of a webhook answers with the status ${status}; it is tried again`,
    undefined,
    retryAfterMs,
  );

export const webhookGone = (): Fault =>
  new Fault('webhook_gone', 'dead-letter', 'the receiver of a webhook answers with 410: it wants no more of them');

export const webhookAddressRefused = (): Fault =>
  new Fault(
    'webhook_address_refused',
    'dead-letter',
    'a webhook leads to an address that is no public one, or to any by http://; where that is meant, add its network to ' +
      '`allowedNetworks`',
  );

export const webhookUrlInvalid = (reason: string): Fault =>
  new Fault('webhook_url_invalid', 'dead-letter', `the url of a webhook ${reason}; nothing was sent`);

export const webhookSecretMissing = (): Fault =>
  new Fault(
    'webhook_secret_missing',
    'dead-letter',
    'a webhook has no usable `secret` in its config, and the gateway has none; it is not sent unsigned',
  );
