import { type AmqpSettings, amqpSettings } from '../../src/adapters/inbound/amqp/amqp-settings.ts';
import { createAmqpSource } from '../../src/adapters/inbound/amqp/amqp-source.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Fault } from '../../src/application/fault.ts';
import type { EventPublisher } from '../../src/application/ports/event-publisher.ts';
import type { BindableSource, Binding, EventSource } from '../../src/application/ports/event-source.ts';
import { Event, type EventFields } from '../../src/domain/event.ts';
import { parseTopicPattern } from '../../src/domain/topic-pattern.ts';
import { amqpUrl } from '../support/amqp-url.ts';
import { recordingObserver } from '../support/recording-observer.ts';

export type AmqpFixture<S> = AsyncDisposable & {
  readonly source: S;
  readonly observer: ReturnType<typeof recordingObserver>;
  /** Codes of the faults that were observed, in order. */
  readonly faults: () => readonly string[];
};

type QueueSource = EventSource & EventPublisher;
type BindingSource = BindableSource & EventPublisher;

const isBinding = (source: EventSource): source is BindingSource => 'bind' in source;

function fixture(settings: object): AmqpFixture<QueueSource> {
  const observer = recordingObserver();
  const source = createAmqpSource('amqp', parsed(settings), { clock: systemClock, observer });
  return {
    source,
    observer,
    faults: () => observer.of('source-fault').map(({ error }) => (error instanceof Fault ? error.code : String(error))),
    [Symbol.asyncDispose]: async () => void (await source.drain(AbortSignal.abort())),
  };
}

const parsed = (settings: object): AmqpSettings =>
  amqpSettings.parse({ urls: [amqpUrl], reconnectMsMin: 40, reconnectMsMax: 200, redeliverDelayMs: 20, ...settings });

/** By default discards what cannot be handled. */
export const queueSource = (settings: object): AmqpFixture<QueueSource> =>
  fixture('deadLetter' in settings ? settings : { onDeadLetter: 'discard', ...settings });

export function bindingSource(settings: object): AmqpFixture<BindingSource> {
  const { source, ...others } = fixture(settings);
  if (!isBinding(source)) throw new Error('this source binds nothing');
  return { ...others, source };
}

export const neverAborts = (): AbortSignal => new AbortController().signal;

/** The binding; throws when it is refused. */
export async function bind(source: BindableSource, stream: string, pattern: string): Promise<Binding> {
  const parsed = parseTopicPattern(pattern);
  if (!parsed.ok) throw new Error(parsed.reason);
  const verdict = await source.bind(stream, parsed.value, neverAborts());
  if (!verdict.ok) throw new Error(`${verdict.reason.kind}: ${verdict.reason.reason}`);
  return verdict.value;
}

export const event = (fields: Partial<EventFields>): Event =>
  new Event({
    id: 'e1',
    stream: 's',
    key: 'k',
    attributes: new Map(),
    payload: Buffer.from('{}'),
    contentType: 'application/json',
    publishedAt: Date.now(),
    origin: { source: 'test', properties: {} },
    ...fields,
  });
