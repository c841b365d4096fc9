import type { IncomingMessage } from 'node:http';
import type { Event } from '../../../domain/event.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { type Problem, problem } from '../http-problem.ts';
import { type ItemError, itemError } from '../item-errors.ts';
import { readJson } from '../json-document.ts';
import { readBinary, readStructured } from './cloud-event.ts';
import type { FieldError, Intake } from './event-fields.ts';
import { readItem } from './http-event.ts';

export type RequestFormat = 'events' | 'cloud-event' | 'cloud-event-batch' | 'cloud-event-binary';

const formats: ReadonlyMap<string, RequestFormat> = new Map([
  ['application/json', 'events'],
  ['application/cloudevents+json', 'cloud-event'],
  ['application/cloudevents-batch+json', 'cloud-event-batch'],
]);

const contentTypes = [...formats.keys()].join(', ');

/** How the body is to be read, which the headers alone decide, so that a body for nobody need not be sent. */
export function formatOf({ headers }: IncomingMessage): Verdict<RequestFormat, Problem> {
  const [mediaType = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const format = formats.get(mediaType.trim());
  // Structured mode stands above `ce-` headers (CloudEvents HTTP binding 1.0.2 section 3).
  const isBinary = Object.keys(headers).some((name) => name.startsWith('ce-'));
  if (isBinary && (format === undefined || format === 'events')) return allowed('cloud-event-binary');
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='));
  if (format && (charset === undefined || /^charset="?utf-8"?$/.test(charset))) return allowed(format);
  const detail = `The body must be in UTF-8 and of the type ${contentTypes}, or a CloudEvent in binary mode.`;
  return refused(problem('content_type_unsupported', detail));
}

/** All events of a request, or what is wrong with it: one bad event refuses them all. */
export function readRequest(
  request: IncomingMessage,
  format: RequestFormat,
  body: Uint8Array,
  intake: Intake,
): Verdict<readonly Event[], Problem> {
  if (format === 'cloud-event-binary') return collect([readBinary(request.headersDistinct, body, intake)], intake);
  const document = readJson(body, { depthMax: intake.settings.jsonDepthMax, member: 'data' });
  if (!document.ok) return refused(problem('body_invalid', `The body ${document.reason}.`));
  const { value, memberTexts } = document.value;
  const isBatch = Array.isArray(value);
  if (isBatch ? format === 'cloud-event' : format === 'cloud-event-batch') {
    return refused(problem('body_invalid', `The body must be ${isBatch ? 'one CloudEvent' : 'an array'}.`));
  }
  const items: readonly unknown[] = isBatch ? value : [value];
  const { eventsPerRequestMax } = intake.settings;
  if (items.length > eventsPerRequestMax) {
    return refused(problem('events_too_many', `A request may have at most ${eventsPerRequestMax} events.`));
  }
  const read = format === 'events' ? readItem : readStructured;
  return collect(
    items.map((item, index) => read(item, memberTexts.get(index), intake)),
    intake,
  );
}

function collect(
  items: readonly Verdict<Event, readonly FieldError[]>[],
  { settings: { eventBytesMax } }: Intake,
): Verdict<readonly Event[], Problem> {
  const events: Event[] = [];
  const errors: ItemError[] = [];
  const large: ItemError[] = [];
  for (const [index, item] of items.entries()) {
    if (!item.ok) {
      errors.push(...item.reason.map((error) => itemError(index, error)));
      continue;
    }
    events.push(item.value);
    const bytes = item.value.payload.byteLength;
    if (bytes > eventBytesMax) large.push({ index, path: '', message: `has a payload of ${bytes} bytes` });
  }
  if (errors.length > 0) {
    const detail = 'Nothing was published: at least one event is malformed. Each is named by its index, from 0.';
    return refused(problem('event_invalid', detail, { errors }));
  }
  if (large.length > 0) {
    const detail = `Nothing was published: a payload may have at most ${eventBytesMax} bytes.`;
    return refused(problem('event_too_large', detail, { errors: large }));
  }
  return allowed(events);
}
