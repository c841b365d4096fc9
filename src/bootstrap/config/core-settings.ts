import { z } from 'zod';
import { logLevels } from '../../adapters/operations/logger.ts';
import { millisecondsMax } from '../../adapters/settings-fields.ts';

export const developmentSettings = z
  .union([
    z.boolean(),
    z.strictObject({
      exposed: z
        .boolean()
        .describe('Work also where `listen.host` is not loopback, as in a container whose port is published there.'),
    }),
  ])
  .default(false)
  .transform((setting) => (typeof setting === 'object' ? setting : setting ? { exposed: false } : undefined))
  .describe(
    'Allow what is insecure: tokens that the instance issues itself, publishing over HTTP without identity. On ' +
      'loopback only, unless `exposed`. Never in production.',
  );

export const logSettings = z.strictObject({
  level: z.enum(logLevels).default('info').describe('The least severe that is written.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('`json`: an object a line; `pretty`: for people; `auto`: pretty on a terminal, else json.'),
});

export const limitSettings = z.strictObject({
  sendQueuesBytesMax: z
    .number()
    .int()
    .min(1024 * 1024)
    .default(256 * 1024 * 1024)
    .describe('Bytes that all clients together are owed; above it the sources pause.'),
});

export const deliverySettings = z
  .strictObject({
    attemptsMax: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('How often an event is tried before it is dead-lettered, when every endpoint fails.'),
    backOffMsMin: millisecondsMax(60_000)
      .min(1)
      .default(100)
      .describe('The delay before the second try; it doubles from there (ms).'),
    backOffMsMax: millisecondsMax(600_000).min(1).default(10_000).describe('The longest delay between two tries (ms).'),
  })
  .superRefine(({ backOffMsMin, backOffMsMax }, context) => {
    if (backOffMsMin <= backOffMsMax) return;
    context.addIssue({ code: 'custom', path: ['backOffMsMin'], message: 'must be at most backOffMsMax' });
  });

/** Docker kills ten seconds after SIGTERM, Kubernetes after thirty; this is within both. */
export const drainDeadlineMs = millisecondsMax(600_000)
  .default(8000)
  .describe('After SIGTERM: how long messages may be settled and queues be written before the rest is cut (ms).');

export const unroutable = z
  .enum(['accept', 'dead-letter'])
  .default('accept')
  .describe('What becomes of an event that no route leads anywhere. It is counted and logged either way.');
