import { type TopicPattern, wordsOf } from './topic-pattern.ts';

/** From many patterns to the values kept under them; matching costs the words of the text, not the patterns. */
export type TopicIndex<T> = {
  /** How many (pattern, value) pairs are kept. */
  readonly size: number;
  /** False when the pair is there already. */
  add(pattern: TopicPattern, value: T): boolean;
  /** False when the pair was not there. */
  remove(pattern: TopicPattern, value: T): boolean;
  /** The values of all matching patterns, in no particular order; a value kept under several of them comes once for each. */
  match(text: string): T[];
};

/** A place in the trie of patterns. `*` and `#` have places of their own, since a text may hold these words too. */
class Place<T> {
  readonly words = new Map<string, Place<T>>();
  star: Place<T> | undefined;
  hash: Place<T> | undefined;
  readonly values = new Set<T>();
  /** A `#` stays where it is while it takes words. */
  readonly staysOn: boolean;
  /** The step that put this place among the active ones last, so that it is there once. */
  step = 0;

  constructor(staysOn: boolean) {
    this.staysOn = staysOn;
  }

  get isEmpty(): boolean {
    return this.values.size === 0 && this.words.size === 0 && !this.star && !this.hash;
  }
}

export function createTopicIndex<T>(): TopicIndex<T> {
  const root = new Place<T>(false);
  let size = 0;
  let step = 0;

  /** Puts a place, if there is one, among the active ones, with every `#` below it that may take no word at all. */
  function activate(place: Place<T> | undefined, active: Place<T>[]): void {
    for (let next = place; next && next.step !== step; next = next.hash) {
      next.step = step;
      active.push(next);
    }
  }

  return {
    get size() {
      return size;
    },

    add(pattern, value) {
      let place = root;
      for (const word of pattern.words) place = childOf(place, word);
      if (place.values.has(value)) return false;
      place.values.add(value);
      size += 1;
      return true;
    },

    remove(pattern, value) {
      const path = [root];
      for (const word of pattern.words) {
        const next = existingChild(path.at(-1) ?? root, word);
        if (!next) return false;
        path.push(next);
      }
      if (!path.at(-1)?.values.delete(value)) return false;
      size -= 1;
      prune(path, pattern.words);
      return true;
    },

    // Walks all matching places at once, a word at a time: several `#` do not multiply the work.
    match(text) {
      step += 1;
      let active: Place<T>[] = [];
      activate(root, active);
      for (const word of wordsOf(text)) {
        step += 1;
        const next: Place<T>[] = [];
        for (const place of active) {
          if (place.staysOn) activate(place, next);
          activate(place.words.get(word), next);
          activate(place.star, next);
        }
        active = next;
        if (active.length === 0) return [];
      }
      return active.flatMap((place) => [...place.values]);
    },
  };
}

function existingChild<T>(place: Place<T>, word: string): Place<T> | undefined {
  if (word === '*') return place.star;
  if (word === '#') return place.hash;
  return place.words.get(word);
}

function childOf<T>(place: Place<T>, word: string): Place<T> {
  const existing = existingChild(place, word);
  if (existing) return existing;
  const child = new Place<T>(word === '#');
  if (word === '*') place.star = child;
  else if (word === '#') place.hash = child;
  else place.words.set(word, child);
  return child;
}

/** Takes away the places that hold nothing any more, from the end of the path upwards. */
function prune<T>(path: readonly Place<T>[], words: readonly string[]): void {
  for (let depth = words.length; depth > 0; depth -= 1) {
    const parent = path[depth - 1];
    const word = words[depth - 1];
    if (!parent || word === undefined || !path[depth]?.isEmpty) return;
    if (word === '*') parent.star = undefined;
    else if (word === '#') parent.hash = undefined;
    else parent.words.delete(word);
  }
}
