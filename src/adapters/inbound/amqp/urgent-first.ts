import { Fifo } from '../../fifo.ts';

/** Of so many one is taken that is not urgent, so that these do not wait for ever. */
const othersTurn = 4;

/** Two queues in one: what somebody waits for comes before the rest, each in order. */
export class UrgentFirst<T> {
  readonly #urgent = new Fifo<T>();
  readonly #others = new Fifo<T>();
  #taken = 0;

  get first(): T | undefined {
    return this.#urgent.first ?? this.#others.first;
  }

  push(value: T, isUrgent: boolean): void {
    (isUrgent ? this.#urgent : this.#others).push(value);
  }

  shift(): T | undefined {
    this.#taken += 1;
    const [one, other] = this.#taken % othersTurn === 0 ? [this.#others, this.#urgent] : [this.#urgent, this.#others];
    return one.shift() ?? other.shift();
  }
}
