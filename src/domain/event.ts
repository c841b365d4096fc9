/** What a backend service published, free of any broker's types. */
export type EventFields = {
  /** The broker's message id, or one made at intake. */
  readonly id: string;
  /** Topic or exchange. */
  readonly stream: string;
  /** Routing or ordering key; `''` where there is none. */
  readonly key: string;
  /** Names as the publisher wrote them: case and non-ASCII letters are kept. */
  readonly attributes: ReadonlyMap<string, string>;
  /**
   * Names of attributes whose values are no text, such as a list, a table or bytes: nobody reads them, but the event
   * carries them.
   */
  readonly unreadable?: ReadonlySet<string> | undefined;
  /** The exact bytes. */
  readonly payload: Uint8Array;
  readonly contentType?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  readonly origin: Origin;
};

/** Where an event came from: the source's name, and the broker's own properties as a plain record. */
export type Origin = {
  readonly source: string;
  readonly properties: Readonly<Record<string, unknown>>;
};

/** Keeps the exact bytes; the JSON view is made on first use and shared by everybody who is sent the event. */
export class Event implements EventFields {
  readonly id: string;
  readonly stream: string;
  readonly key: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly unreadable: ReadonlySet<string> | undefined;
  readonly payload: Uint8Array;
  readonly contentType: string | undefined;
  readonly publishedAt: number;
  readonly origin: Origin;
  #jsonText: string | null | undefined;

  constructor(fields: EventFields) {
    this.id = fields.id;
    this.stream = fields.stream;
    this.key = fields.key;
    this.attributes = fields.attributes;
    this.unreadable = fields.unreadable;
    this.payload = fields.payload;
    this.contentType = fields.contentType;
    this.publishedAt = fields.publishedAt;
    this.origin = fields.origin;
  }

  /** Whether it has an attribute of the name, whatever its value: one that it carries is no reason to reach more. */
  carries(attribute: string): boolean {
    return this.attributes.has(attribute) || this.unreadable?.has(attribute) === true;
  }

  /** The payload's own text when it is valid JSON in valid UTF-8, else `null`. Never parsed and written again. */
  jsonText(): string | null {
    if (this.#jsonText === undefined) this.#jsonText = validJsonText(this.payload);
    return this.#jsonText;
  }
}

/** A byte order mark is kept, so that JSON.parse refuses it as RFC 8259 section 8.1 allows. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function validJsonText(payload: Uint8Array): string | null {
  try {
    const text = strictUtf8.decode(payload);
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}
