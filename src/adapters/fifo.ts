type Link<T> = { readonly value: T; next: Link<T> | undefined };

/** First in, first out. An array's `shift` moves everything behind it, which a long backlog would pay for each time. */
export class Fifo<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  get first(): T | undefined {
    return this.#first?.value;
  }

  push(value: T): void {
    const link: Link<T> = { value, next: undefined };
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
  }

  shift(): T | undefined {
    const link = this.#first;
    if (!link) return undefined;
    this.#first = link.next;
    if (!link.next) this.#last = undefined;
    return link.value;
  }
}
