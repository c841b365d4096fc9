import { Fault } from '../application/fault.ts';

/** Faults that every source has in common. */
export const sourceStartedAlready = (source: string): Fault =>
  new Fault('source_started_already', 'stop', `source "${source}" has been started before; a source has one life`);

export const handlerThrew = (source: string, error: unknown): Fault =>
  new Fault('handler_threw', 'retry', `the handler of source "${source}" threw; the message is to come again`, error);
