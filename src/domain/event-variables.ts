import type { Event } from './event.ts';
import type { RoutingRule } from './routing-rule.ts';
import { wordsOf } from './topic-pattern.ts';
import { splitList, type VariableReader, type VariableValue } from './variables.ts';

/**
 * What a rule reads of an event: attributes by name; `stream`, `key` and the named parts of the key stand above an
 * attribute of the same name. Read when asked for, since most rules need a few of them.
 */
export class EventVariables implements VariableReader {
  readonly #event: Event;
  readonly #rule: Pick<RoutingRule, 'keyParts' | 'lists'>;
  #words: readonly string[] | undefined;

  constructor(event: Event, rule: Pick<RoutingRule, 'keyParts' | 'lists'>) {
    this.#event = event;
    this.#rule = rule;
  }

  get(name: string): VariableValue | undefined {
    const { stream, key, attributes } = this.#event;
    const { keyParts, lists } = this.#rule;
    if (name === 'stream') return stream;
    if (name === 'key') return key;
    // Of a name that is there twice the last one counts; one that is not there hides an attribute all the same.
    const part = keyParts.lastIndexOf(name);
    if (part !== -1) {
      this.#words ??= wordsOf(key);
      return this.#words[part];
    }
    const text = attributes.get(name);
    const separator = text === undefined ? undefined : lists.get(name);
    return text === undefined || separator === undefined ? text : splitList(text, separator);
  }

  /** Whether the event says something of it. An attribute counts even where a part of the key stands above it. */
  carries(name: string): boolean {
    return this.get(name) !== undefined || this.#event.carries(name);
  }
}
