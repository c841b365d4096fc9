import { Fault } from '../../../application/fault.ts';

/** The bound that the next message would break. */
export const memoryFull = (bound: 'messagesMax' | 'bytesMax', limit: number): Fault =>
  new Fault('memory_full', 'retry', `the embedded broker is full (${bound}: ${limit}); publish again later`);

export const memoryDraining = (source: string): Fault =>
  new Fault('memory_draining', 'retry', `source "${source}" is closing and takes nothing new; publish again later`);

export const memoryEventTooLarge = (bytes: number, limit: number): Fault =>
  new Fault(
    'memory_event_too_large',
    'dead-letter',
    `an event of ${bytes} bytes never fits into the embedded broker (bytesMax: ${limit})`,
  );

export const memoryConsumerPresent = (source: string): Fault =>
  new Fault(
    'memory_consumer_present',
    'stop',
    `source "${source}" cannot consume: another one consumes from this embedded broker`,
  );

export const memoryDeadLetterAgain = (source: string, stream: string): Fault =>
  new Fault(
    'memory_dead_letter_again',
    'dead-letter',
    `source "${source}" discards a message of its own dead letter stream "${stream}" that could not be handled either`,
  );
