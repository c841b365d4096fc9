import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

export type JsonDocument = {
  readonly value: unknown;
  /** The texts of the chosen member exactly as they were sent: of the object, or by index of the array's objects. */
  readonly memberTexts: ReadonlyMap<number, string>;
};

export type JsonReading = {
  /** How deep arrays and objects may be nested. */
  readonly depthMax: number;
  /** The member whose text is kept, if one is. */
  readonly member?: string;
};

/**
 * Reads JSON (RFC 8259) in strict UTF-8, without a byte order mark and without a name that an object has twice: readers
 * disagree about which of the two counts, so an event could pass a check as one thing and arrive as another.
 */
export function readJson(bytes: Uint8Array, { depthMax, member }: JsonReading): Verdict<JsonDocument> {
  const text = decode(bytes);
  if (text === undefined) return refused('is not valid UTF-8');
  if (text.startsWith('\ufeff')) return refused('begins with a byte order mark');
  // Before it is parsed, so that depth costs nothing.
  const scan = new JsonScan(text, depthMax, member);
  const mistake = scan.run();
  if (mistake !== undefined) return refused(mistake);
  try {
    return allowed({ value: JSON.parse(scan.parsableText()), memberTexts: scan.memberTexts });
  } catch (error) {
    return refused(`is not valid JSON${placeOf(error)}`);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Only the place: the rest of the message may quote the body. */
function placeOf(error: unknown): string {
  const place = error instanceof Error ? /at position \d+/.exec(error.message) : null;
  return place ? ` ${place[0]}` : '';
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

type Level = { isObject: boolean; expectsName: boolean; items: number; readonly names: Set<string> };

/** One walk over the text, which `JSON.parse` alone judges: on text that is not JSON it may find anything, but ends. */
class JsonScan {
  readonly memberTexts = new Map<number, string>();
  readonly #text: string;
  readonly #depthMax: number;
  readonly #member: string | undefined;
  /** Used again for the next array or object of the same depth. */
  readonly #levels: Level[] = [];
  readonly #escapedNames: { readonly begin: number; readonly end: number; readonly name: string }[] = [];
  #depth = 0;
  #memberBegin: number | undefined;
  #memberIsNext = false;

  constructor(text: string, depthMax: number, member: string | undefined) {
    this.#text = text;
    this.#depthMax = depthMax;
    this.#member = member;
  }

  /** @returns what is wrong, if anything. */
  run(): string | undefined {
    for (let at = 0; at < this.#text.length; at += 1) {
      switch (this.#text.charCodeAt(at)) {
        case quote: {
          const end = this.#endOfString(at);
          const mistake = this.#string(at, end);
          if (mistake !== undefined) return `${mistake}, at position ${at}`;
          at = end;
          break;
        }
        case openBrace:
        case openBracket:
          if (this.#depth === this.#depthMax) return `is nested deeper than ${this.#depthMax} levels`;
          this.#open(this.#text.charCodeAt(at) === openBrace);
          break;
        case closeBrace:
        case closeBracket:
          this.#endMember(at);
          this.#depth = Math.max(0, this.#depth - 1);
          break;
        case colon:
          if (this.#memberIsNext) this.#memberBegin = at + 1;
          this.#memberIsNext = false;
          break;
        case comma:
          this.#endMember(at);
          this.#nextItem();
          break;
      }
    }
    return undefined;
  }

  /**
   * The text with names spelled without escapes. `JSON.parse` of Node 24 and 26 may take an escaped name for another one
   * that it has met before, so one publisher's names could change another's
   * (https://github.com/nodejs/node/issues/63785).
   */
  parsableText(): string {
    let text = '';
    let done = 0;
    for (const { begin, end, name } of this.#escapedNames) {
      text += `${this.#text.slice(done, begin)}"${name}`;
      done = end;
    }
    return text + this.#text.slice(done);
  }

  #open(isObject: boolean): void {
    const level = this.#levels[this.#depth];
    if (level) {
      level.isObject = isObject;
      level.expectsName = isObject;
      level.items = 0;
      level.names.clear();
    } else {
      this.#levels.push({ isObject, expectsName: isObject, items: 0, names: new Set() });
    }
    this.#depth += 1;
  }

  #nextItem(): void {
    const level = this.#levels[this.#depth - 1];
    if (!level) return;
    level.items += 1;
    level.expectsName = level.isObject;
  }

  #string(begin: number, end: number): string | undefined {
    const level = this.#levels[this.#depth - 1];
    if (!level?.expectsName || this.#depth === 0) return undefined;
    level.expectsName = false;
    const given = this.#text.slice(begin + 1, end);
    const name = unescaped(given);
    if (level.names.has(name)) return 'has a name twice in one object';
    level.names.add(name);
    // The names below the member are nobody's business: its text is kept and its value is not.
    if (name !== given && this.#memberBegin === undefined) {
      if (needsEscape(name)) return 'has a name with a quotation mark, a backslash or a control character';
      this.#escapedNames.push({ begin, end, name });
    }
    this.#memberIsNext = name === this.#member && this.#depth === this.#envelopeDepth();
    return undefined;
  }

  #endMember(at: number): void {
    if (this.#memberBegin === undefined || this.#depth !== this.#envelopeDepth()) return;
    const index = this.#depth === 1 ? 0 : (this.#levels[0]?.items ?? 0);
    this.memberTexts.set(index, this.#text.slice(this.#memberBegin, at).trim());
    this.#memberBegin = undefined;
  }

  /** The depth of the objects whose members are kept: that of the whole, or of the items of an array. */
  #envelopeDepth(): number {
    return this.#levels[0]?.isObject ? 1 : 2;
  }

  /** From quote to quote: a text of megabytes is not looked at letter by letter. */
  #endOfString(begin: number): number {
    for (let at = this.#text.indexOf('"', begin + 1); at !== -1; at = this.#text.indexOf('"', at + 1)) {
      let escapes = 0;
      while (this.#text.charCodeAt(at - 1 - escapes) === backslash) escapes += 1;
      if (escapes % 2 === 0) return at;
    }
    return this.#text.length;
  }
}

/** `"\u0061"` and `"a"` are one name. */
function unescaped(name: string): string {
  if (!name.includes('\\')) return name;
  try {
    return String(JSON.parse(`"${name}"`));
  } catch {
    return name;
  }
}

const needsEscape = (name: string): boolean => JSON.stringify(name) !== `"${name}"`;
