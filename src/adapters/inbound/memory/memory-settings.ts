import { z } from 'zod';
import { topicPatternText } from '../../settings-fields.ts';

const subscription = z.strictObject({
  stream: topicPatternText.default('#').describe('Pattern of streams: `*` is one word, `#` any number of words.'),
  key: topicPatternText.default('#').describe('Pattern of keys, in the same way.'),
});

const deadLetter = z.strictObject({
  stream: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^*#]+$/, 'must be the name of a stream, without `*` and `#`')
    .describe('Stream of the dead letters. A subscription takes from it only when it spells the name out.'),
  messagesMax: z.number().int().min(1).max(1_000_000).default(1000).describe('How many are kept; the oldest go first.'),
  bytesMax: z
    .number()
    .int()
    .min(1)
    .default(16 * 1024 * 1024)
    .describe('How many bytes of them are kept; the oldest go first.'),
});

/** The embedded broker and its source: one section of the config. */
export const memorySettings = z
  .strictObject({
    subscriptions: z
      .array(subscription)
      .min(1)
      .default([{ stream: '#', key: '#' }])
      .describe('What the source takes, as bindings of a topic exchange. What none of them matches is ignored.'),
    inFlightMax: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(64)
      .describe('How many messages may be unsettled at once. Those of one stream and key always go one by one.'),
    messagesMax: z
      .number()
      .int()
      .min(1)
      .default(100_000)
      .describe('How many messages the broker holds; publishing beyond it is refused (`memory_full`).'),
    bytesMax: z
      .number()
      .int()
      .min(1)
      .default(64 * 1024 * 1024)
      .describe('How many bytes it holds, in the same way.'),
    redeliverDelayMs: z
      .number()
      .int()
      .min(1)
      .max(3_600_000)
      .default(1000)
      .describe('How long a message that was given back waits before it is offered again (ms).'),
    deadLetter: deadLetter
      .optional()
      .describe('Where messages go that can never be handled. Either this or `onDeadLetter`.'),
    onDeadLetter: z
      .literal('discard')
      .optional()
      .describe('`discard` when there is to be no such place. Either this or `deadLetter`.'),
  })
  .superRefine(({ deadLetter, onDeadLetter }, context) => {
    if ((deadLetter === undefined) !== (onDeadLetter === undefined)) return;
    const message = deadLetter
      ? 'deadLetter and onDeadLetter: discard contradict each other; leave one of them out'
      : 'say where dead letters go (deadLetter), or onDeadLetter: discard';
    context.addIssue({ code: 'custom', path: ['onDeadLetter'], message });
  });

export type MemorySettings = z.infer<typeof memorySettings>;
