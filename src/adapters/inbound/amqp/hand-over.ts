import type { BrokerMessage, MessageHandler, Settlement } from '../../../application/ports/event-source.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import { askHandler } from '../../ask-handler.ts';
import { Fifo } from '../../fifo.ts';
import type { SourceLife } from '../../source-life.ts';
import { Turns } from '../../turns.ts';
import { whenKnown } from '../../when-known.ts';

export type Delivery = BrokerMessage & {
  /** Does what the handler has decided, and tells whether that settled it; else it comes again. Never throws or rejects. */
  settle(settlement: Settlement): boolean | Promise<boolean>;
};

/** What a message costs beside its bytes, roughly, so that empty ones are not for nothing. */
const overheadBytes = 256;

const sizeOf = ({ event }: Delivery): number => event.payload.length + overheadBytes;

/** What one queue has delivered and the handler has not been given yet, in order, and what of it is with the handler. */
export class Lane {
  readonly #inHandMax: number;
  readonly #waiting = new Fifo<Delivery>();
  #inHandCount = 0;
  #putBack: Delivery | undefined;
  #waitingCount = 0;
  #waitingBytes = 0;

  constructor(inHandMax: number) {
    this.#inHandMax = inHandMax;
  }

  get waitingCount(): number {
    return this.#waitingCount;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  add(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#count(delivery, 1);
  }

  /** In front of all others, one at most. */
  putBack(delivery: Delivery): void {
    this.#putBack = delivery;
    this.#count(delivery, 1);
  }

  /** The next for the handler, when it may be given one more. */
  take(): Delivery | undefined {
    if (this.#inHandCount >= this.#inHandMax) return undefined;
    const delivery = this.drop();
    if (delivery) this.#inHandCount += 1;
    return delivery;
  }

  /** The next one, for nobody. */
  drop(): Delivery | undefined {
    const delivery = this.#putBack ?? this.#waiting.shift();
    this.#putBack = undefined;
    if (delivery) this.#count(delivery, -1);
    return delivery;
  }

  /** One of those that were taken is with the handler no more. */
  done(): void {
    this.#inHandCount -= 1;
  }

  #count(delivery: Delivery, times: 1 | -1): void {
    this.#waitingCount += times;
    this.#waitingBytes += times * sizeOf(delivery);
  }
}

export type HandOverDependencies = {
  readonly source: string;
  readonly life: SourceLife;
  readonly observer: Observer;
  /** Whether the handler may be given something now. */
  readonly isTaking: () => boolean;
};

/** Gives the handler what the lanes have, a bounded part in each turn of the event loop, and asks what becomes of it. */
export class HandOver {
  readonly #dependencies: HandOverDependencies;
  readonly #lanes: Lane[] = [];
  readonly #turns = new Turns(() => this.#takeNext());
  #handler: MessageHandler | undefined;
  #abandoned = false;

  constructor(dependencies: HandOverDependencies) {
    this.#dependencies = dependencies;
  }

  lane(inHandMax: number): Lane {
    const lane = new Lane(inHandMax);
    this.#lanes.push(lane);
    return lane;
  }

  begin(handler: MessageHandler): void {
    this.#handler = handler;
  }

  /** Something may be there to be taken. */
  wake(): void {
    if (!this.#abandoned && this.#dependencies.isTaking()) this.#turns.wake();
  }

  /** Nothing is taken any more, and answers that come from now on are too late. */
  abandon(): void {
    this.#abandoned = true;
    this.#turns.stop();
  }

  #takeNext(): number | undefined {
    const { life, isTaking } = this.#dependencies;
    if (!this.#handler || this.#abandoned || !isTaking()) return undefined;
    for (const lane of this.#lanes) {
      const delivery = lane.take();
      if (!delivery) continue;
      life.take();
      this.#handle(delivery, lane, this.#handler);
      return delivery.event.payload.length;
    }
    return undefined;
  }

  #handle(delivery: Delivery, lane: Lane, handler: MessageHandler): void {
    const { event, attempt } = delivery;
    whenKnown(askHandler(handler, { event, attempt }, this.#dependencies), (settlement) => {
      // Past the deadline of a drain the message is with the broker again.
      if (!this.#abandoned) whenKnown(delivery.settle(settlement), (isSettled) => this.#done(lane, isSettled));
    });
  }

  #done(lane: Lane, isSettled: boolean): void {
    if (this.#abandoned) return;
    const { life } = this.#dependencies;
    lane.done();
    if (isSettled) life.settle();
    else life.release();
    this.#turns.takeMore();
  }
}
