import type { Channel, ChannelModel } from 'amqplib';
import { type BackOff, backOffDelayMs } from '../../../application/back-off.ts';
import { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { AmqpConnection } from './amqp-connection.ts';
import { amqpFault, amqpStartOver } from './amqp-fault.ts';
import { closeChannel } from './close-channel.ts';

export type ChannelDependencies<C extends Channel> = {
  readonly connection: AmqpConnection;
  readonly clock: Clock;
  readonly backOff: BackOff;
  /** What it is about, such as `queue "q"`. */
  readonly resource: string;
  readonly create: (model: ChannelModel) => Promise<C>;
  /** What makes it useful. `lose` says that it is not any more, though it is open. */
  readonly setUp: (channel: C, lose: (fault: Fault) => void) => Promise<void>;
  /** At once when it has closed, set up or not, with what the broker said unless the connection was lost. */
  readonly onClosed: (channel: C, fault: Fault | undefined) => void;
  /** Trouble of the channel, told once, that it deals with itself. The connection's is the connection's to tell. */
  readonly onFault: (fault: Fault) => void;
  /** Whether it is useful, or why not. */
  readonly onState: () => void;
};

/** A channel of a connection that is opened again whenever it is lost. amqplib does so for connections, never for channels. */
export class AmqpChannel<C extends Channel> {
  readonly #dependencies: ChannelDependencies<C>;
  readonly #closing = new AbortController();
  #channel: C | undefined;
  #waitsFor: Fault | undefined;
  #told: string | undefined;

  constructor(dependencies: ChannelDependencies<C>) {
    this.#dependencies = dependencies;
  }

  /** Nothing while it is not useful. */
  get channel(): C | undefined {
    return this.#channel;
  }

  /** Why it is not useful; nothing when it is. */
  get waitsFor(): Fault | undefined {
    return this.#waitsFor;
  }

  /**
   * Resolves when it has been tried once, or at once while there is no connection; from then on it keeps itself.
   * @param tolerates whether it goes on after this fault; else it rejects with it and does not.
   * @param over aborts when a try that has no answer yet counts as failed.
   */
  async open(tolerates: (fault: Fault) => boolean, over?: AbortSignal): Promise<void> {
    const { connection, resource } = this.#dependencies;
    const first = Promise.withResolvers<Fault | undefined>();
    void this.#keep(first.resolve).finally(() => first.resolve(undefined));
    if (connection.fault) return this.#lose(undefined);
    const giveUp = () => over && first.resolve(amqpStartOver(connection.place(resource), over));
    if (over?.aborted) giveUp();
    else over?.addEventListener('abort', giveUp, { once: true });
    const fault = await first.promise;
    if (!fault) return;
    if (!tolerates(fault)) {
      this.#closing.abort();
      throw fault;
    }
    if (over?.aborted && !this.#channel) this.#lose(fault);
  }

  /** For good. What was sent on it is with the broker then, unless the connection is lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel) await closeChannel(channel);
  }

  async #keep(onTried: (fault: Fault | undefined) => void): Promise<void> {
    const { connection, clock, backOff } = this.#dependencies;
    const { signal } = this.#closing;
    const closing = Promise.withResolvers<undefined>();
    signal.addEventListener('abort', () => closing.resolve(undefined), { once: true });
    for (let tries = 1; !signal.aborted; tries += 1) {
      const model = await Promise.race([connection.up(), closing.promise]);
      if (!model) return;
      const since = clock.now();
      const lost = await this.#open(model);
      onTried(lost instanceof Fault ? lost : undefined);
      const fault = lost instanceof Fault ? lost : await lost.closed;
      if (signal.aborted) return;
      this.#lose(fault);
      // That takes its time by itself.
      if (connection.fault) continue;
      if (clock.now() - since > backOff.delayMsMax) tries = 1;
      await clock.wait(backOffDelayMs(backOff, tries, Math.random()), signal);
    }
  }

  #lose(fault: Fault | undefined): void {
    const { connection, resource, onFault, onState } = this.#dependencies;
    this.#channel = undefined;
    if (fault && !connection.fault && fault.message !== this.#told) onFault(fault);
    this.#told = fault?.message;
    this.#waitsFor = connection.fault ?? fault ?? amqpFault(undefined, connection.place(resource));
    onState();
  }

  /** Resolves when it is useful, or with what keeps it from that. */
  async #open(model: ChannelModel): Promise<Fault | { readonly closed: Promise<Fault | undefined> }> {
    const { connection, resource, create, setUp, onClosed, onState } = this.#dependencies;
    const faultOf = (error: unknown) => (error instanceof Fault ? error : amqpFault(error, connection.place(resource)));
    const closed = Promise.withResolvers<Fault | undefined>();
    let channel: C | undefined;
    let cause: Fault | undefined;
    let isClosed = false;
    try {
      const opened = await create(model);
      channel = opened;
      opened.on('error', (error) => {
        cause ??= faultOf(error);
      });
      opened.on('close', () => {
        isClosed = true;
        onClosed(opened, cause);
        if (this.#channel === opened) this.#channel = undefined;
        closed.resolve(cause);
      });
      await setUp(opened, (fault) => {
        cause ??= fault;
        void closeChannel(opened);
      });
    } catch (error) {
      const fault = cause ?? faultOf(error);
      if (channel) await closeChannel(channel);
      return fault;
    }
    if (this.#closing.signal.aborted) await closeChannel(channel);
    else if (!isClosed) {
      this.#channel = channel;
      this.#waitsFor = undefined;
      this.#told = undefined;
      onState();
    }
    return { closed: closed.promise };
  }
}
