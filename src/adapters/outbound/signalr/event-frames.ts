import type { Event } from '../../../domain/event.ts';
import type { HubArgument, HubProtocol } from './hub-protocol.ts';
import type { SignalrSettings } from './signalr-settings.ts';

/** The frames of one event, each made once, however many clients are sent it. */
export class EventFrames {
  readonly #event: Event;
  readonly #settings: Pick<SignalrSettings, 'method' | 'argument'>;
  readonly #invocations = new Map<HubProtocol, Buffer>();
  /** Clients number their streams from 0, so that many have the same. */
  readonly #items = new Map<HubProtocol, Map<string, Buffer>>();
  #argument: HubArgument | undefined;

  constructor(event: Event, settings: Pick<SignalrSettings, 'method' | 'argument'>) {
    this.#event = event;
    this.#settings = settings;
  }

  invocation(protocol: HubProtocol): Buffer {
    const known = this.#invocations.get(protocol);
    if (known) return known;
    const made = protocol.invocation(this.#settings.method, this.#value());
    this.#invocations.set(protocol, made);
    return made;
  }

  /** As an item of the stream with this id. */
  item(protocol: HubProtocol, id: string): Buffer {
    const items = this.#items.get(protocol) ?? new Map<string, Buffer>();
    this.#items.set(protocol, items);
    const made = items.get(id) ?? protocol.item(id, this.#value());
    items.set(id, made);
    return made;
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

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
