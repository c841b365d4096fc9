import type { Event } from '../../../domain/event.ts';
import type { HubArgument, HubProtocol } from './hub-protocol.ts';
import type { SignalrSettings } from './signalr-settings.ts';

/**
 * The frames of one event, each made once, however many clients are sent it. There is none in a protocol that cannot say
 * it: that is told once, and is no trouble of those who speak another.
 */
export class EventFrames {
  readonly #event: Event;
  readonly #settings: Pick<SignalrSettings, 'method' | 'argument'>;
  readonly #onFault: (error: unknown) => void;
  readonly #invocations = new Map<HubProtocol, Buffer>();
  /** Clients number their streams from 0, so that many have the same. */
  readonly #items = new Map<HubProtocol, Map<string, Buffer>>();
  readonly #unable = new Set<HubProtocol>();
  #argument: HubArgument | undefined;

  constructor(event: Event, settings: Pick<SignalrSettings, 'method' | 'argument'>, onFault: (error: unknown) => void) {
    this.#event = event;
    this.#settings = settings;
    this.#onFault = onFault;
  }

  invocation(protocol: HubProtocol): Buffer | undefined {
    return this.#once(this.#invocations, protocol, protocol, () =>
      protocol.invocation(this.#settings.method, this.#value()),
    );
  }

  /** As an item of the stream with this id. */
  item(protocol: HubProtocol, id: string): Buffer | undefined {
    const items = this.#items.get(protocol) ?? new Map<string, Buffer>();
    this.#items.set(protocol, items);
    return this.#once(items, id, protocol, () => protocol.item(id, this.#value()));
  }

  #once<Key>(made: Map<Key, Buffer>, key: Key, protocol: HubProtocol, make: () => Buffer): Buffer | undefined {
    const known = made.get(key);
    if (known || this.#unable.has(protocol)) return known;
    try {
      const frame = make();
      made.set(key, frame);
      return frame;
    } catch (error) {
      this.#unable.add(protocol);
      this.#onFault(error);
      return undefined;
    }
  }

  #value(): HubArgument {
    this.#argument ??= argumentOf(this.#event, this.#settings.argument);
    return this.#argument;
  }
}

/** The payload's own text, or its JSON; what is none goes as base64. */
export function argumentOf(event: Event, kind: SignalrSettings['argument']): HubArgument {
  const json = event.jsonText();
  if (json !== null) return { kind, text: json };
  const { buffer, byteOffset, byteLength } = event.payload;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const text = kind === 'text' ? textOf(bytes) : undefined;
  return { kind: 'text', text: text ?? bytes.toString('base64') };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
