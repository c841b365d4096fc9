import { Worker } from 'node:worker_threads';
import { amqpSettings } from '../../src/adapters/inbound/amqp/amqp-settings.ts';
import { createAmqpSource } from '../../src/adapters/inbound/amqp/amqp-source.ts';
import type { SqlBatch } from '../../src/adapters/store/sqlite-statement.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { notificationSettings } from '../../src/bootstrap/config/notification-section.ts';
import { createNotifications } from '../../src/bootstrap/create-notifications.ts';

/**
 * A gateway's notifications in a process of their own, which kills itself at the step that it is told, before or after the
 * store has done it: `match before`. Run with the settings of both as JSON, and the step.
 */
const [given = '', step = ''] = process.argv.slice(2);
const { amqp, notifications: section } = JSON.parse(given) as { amqp: object; notifications: object };

/** What the store is asked to do, by the SQL of it. */
const steps: readonly (readonly [string, RegExp])[] = [
  ['match', /SET state = 'matched', triggered_at/],
  ['begin', /SET state = 'sending'/],
  ['finish', /SET state = \?2/],
];

const end = (): void => void process.kill(process.pid, 'SIGKILL');

/** The thread of the store is asked by messages, and answers by messages, in order. */
const asked: string[] = [];

const postMessage: (this: Worker, request: unknown) => void = Reflect.get(Worker.prototype, 'postMessage');
Worker.prototype.postMessage = function post(this: Worker, request: { kind: string; batches?: readonly SqlBatch[] }) {
  const sql = (request.batches ?? []).flat().map((statement) => statement.sql);
  const name = steps.find(([, pattern]) => sql.some((text) => pattern.test(text)))?.[0] ?? '';
  asked.push(name);
  if (`${name} before` === step) end();
  postMessage.call(this, request);
};
const emit: (this: Worker, ...values: unknown[]) => boolean = Reflect.get(Worker.prototype, 'emit');
Worker.prototype.emit = function tell(this: Worker, event: string | symbol, ...values: unknown[]) {
  // The first answer is that the file is open, to a question that nobody asked.
  if (event === 'message' && Array.isArray(values[0]) && `${asked.shift()} after` === step) end();
  return emit.call(this, event, ...values);
};

const observer = { observe: () => {} };
const callers = { identify: () => Promise.reject(new Error('nobody asks')) };
const never = () => {
  throw new Error('there is nobody to be let in');
};
const admissions = {
  forCallers: () => callers,
  forConnections: never,
  forRooms: never,
  forBinds: never,
  forSpaces: never,
  forPublishing: never,
};
const notifications = createNotifications(notificationSettings.parse(section), {
  admissions,
  clock: systemClock,
  observer,
});
const source = createAmqpSource('tasks', amqpSettings.parse(amqp), { clock: systemClock, observer });
await notifications.start();
await source.start(notifications.handler);
process.stdout.write('serving\n');
// With whoever has started it, however that ends.
process.stdin.on('end', end).resume();
