import { Fault } from '../../../application/fault.ts';

/** Pub/Sub reads no answer, so whoever runs the gateway is told. */
export const pushUnreadable = (source: string, reason: string): Fault =>
  new Fault(
    'pubsub_push_unreadable',
    'dead-letter',
    `source "${source}" cannot read what is pushed, and answers ${reason} Pub/Sub pushes it again until the message ` +
      'expires or the dead letter policy of its subscription moves it',
  );

export const pushLate = (source: string): Fault =>
  new Fault(
    'pubsub_push_late',
    'retry',
    `source "${source}": Pub/Sub waits no more for the answer to a message that is still being handled, and pushes it ` +
      'again; where this goes on, raise the acknowledgement deadline of the subscription, and `leaseMsMax`',
  );
