import { readFileSync } from 'node:fs';
import { type ChannelModel, connect, type Options, type RecoveringChannelModel, type SocketOptions } from 'amqplib';
import { backOffDelayMs } from '../../../application/back-off.ts';
import { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import { untilAborted } from '../../until-aborted.ts';
import { type AmqpAddress, parseAmqpUrl, shownAddress } from './amqp-address.ts';
import { type AmqpPlace, amqpBlocked, amqpFault, amqpStartOver, amqpTlsFile, isOverFrame } from './amqp-fault.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { destroyConnection, readContentHeaders } from './amqplib-insides.ts';

export type ConnectionDependencies = {
  readonly source: string;
  /** What it is for, for people: shown by the broker, and named by faults. */
  readonly purpose: string;
  readonly settings: AmqpSettings;
  readonly clock: Clock;
  /** Trouble that it deals with itself, told once. */
  readonly onFault: (fault: Fault) => void;
};

/** How long the broker may take to say goodbye. */
const closeMsMax = 1000;

const heartbeatSecondsDefault = 15;

/** A connection that is opened again whenever it is lost, to the next of its addresses when one does not answer. */
export class AmqpConnection {
  readonly #dependencies: ConnectionDependencies;
  readonly #addresses: readonly AmqpAddress[];
  /** Tries since the last that worked. */
  #failures = 0;
  #turn = 0;
  #recovering: RecoveringChannelModel | undefined;
  #model: ChannelModel | undefined;
  #fault: Fault | undefined;
  #refusal: Fault | undefined;
  #isClosed = false;
  /** Ends what is not a connection yet, which amqplib would go on waiting for. */
  readonly #opening = new AbortController();
  #up = Promise.withResolvers<ChannelModel>();
  /** Rejects with what the last of the addresses said when none has answered yet. */
  readonly #triedAll = Promise.withResolvers<never>();

  constructor(dependencies: ConnectionDependencies) {
    const { urls, vhost, heartbeatSeconds } = dependencies.settings;
    this.#dependencies = dependencies;
    this.#triedAll.promise.catch(() => {});
    this.#addresses = urls.map((url) => {
      const address = parseAmqpUrl(url);
      if (!address.ok) throw new RangeError(address.reason);
      return {
        ...address.value,
        vhost: vhost ?? address.value.vhost,
        heartbeatSeconds: heartbeatSeconds ?? address.value.heartbeatSeconds ?? heartbeatSecondsDefault,
      };
    });
  }

  /** Why it is not there; nothing while it is. */
  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** What the broker has said against something that was sent, when it closed the connection over that. */
  get refusal(): Fault | undefined {
    return this.#refusal;
  }

  place(resource: string): AmqpPlace {
    const address = this.#address;
    return { source: this.#dependencies.source, resource, address: shownAddress(address), vhost: address.vhost };
  }

  /**
   * Rejects with a `Fault` when no address answers, each tried once; where `whenUnreachable` says to wait for that,
   * resolves all the same, and goes on trying.
   *
   * @param over aborts when what has not answered yet counts as unreachable.
   */
  async open(over: AbortSignal): Promise<void> {
    const isPatient = this.#dependencies.settings.whenUnreachable === 'wait';
    const recovering = await this.#connect(isPatient ? Number.POSITIVE_INFINITY : this.#addresses.length - 1);
    const tried = Promise.race([recovering.waitForConnect(), ...(isPatient ? [this.#triedAll.promise] : [])]);
    try {
      await untilAborted(tried, over, () => amqpStartOver(this.place('the connection'), over));
    } catch (error) {
      const fault =
        error instanceof Fault ? error : (this.#fault ?? amqpFault(error, this.place(this.#dependencies.purpose)));
      if (isPatient && fault.disposition === 'retry' && fault.code !== 'amqp_draining') return this.#tell(fault);
      await this.close();
      throw fault;
    }
  }

  /** Tries until it is there. */
  async keepOpening(): Promise<void> {
    await this.#connect(Number.POSITIVE_INFINITY);
  }

  /** The connection as soon as it is there. */
  up(): Promise<ChannelModel> {
    return this.#up.promise;
  }

  /** For good. What is under way on its channels is flushed first, unless the broker does not answer. */
  async close(): Promise<void> {
    const [recovering, model] = [this.#recovering, this.#model];
    this.#isClosed = true;
    this.#recovering = undefined;
    if (!model) this.#opening.abort();
    if (!recovering) return;
    const closed = new AbortController();
    const late = this.#dependencies.clock.wait(closeMsMax, closed.signal);
    await Promise.race([recovering.close(), late]);
    closed.abort();
    await late;
    if (model) destroyConnection(model);
  }

  get #address(): AmqpAddress {
    const address = this.#addresses[this.#turn % this.#addresses.length];
    if (!address) throw new RangeError('there is no URL');
    return address;
  }

  async #connect(initialMaxRetries: number): Promise<RecoveringChannelModel> {
    const recovering = await connect(this.#options(), {
      ...this.#socketOptions(),
      recovery: {
        // Else the first failures are told to nobody.
        waitForConnect: false,
        initialMaxRetries,
        calculateDelay: () => this.#delayMs(),
        setup: async (model: ChannelModel) => {
          model.on('error', (error) => {
            // Before its channels close.
            if (isOverFrame(error)) this.#refusal = amqpFault(error, this.place(this.#dependencies.purpose));
          });
          readContentHeaders(model);
        },
      },
    });
    if (this.#isClosed) await recovering.close();
    else this.#recovering = recovering;
    recovering.on('connect', (model) => this.#gain(model));
    recovering.on('disconnect', (error) => this.#lose(error));
    recovering.on('connect-failed', (error) => this.#fail(error));
    recovering.on('blocked', (reason) => this.#dependencies.onFault(amqpBlocked(this.place('publishing'), reason)));
    // Each is followed by one of the others, which deals with it.
    recovering.on('error', () => {});
    return recovering;
  }

  /** amqplib reads them anew for each try, so that they may name another address each time. */
  #options(): Options.Connect {
    const address = () => this.#address;
    return {
      get protocol() {
        return address().protocol;
      },
      get hostname() {
        return address().hostname;
      },
      get port() {
        return address().port;
      },
      get username() {
        return address().username;
      },
      get password() {
        return address().password;
      },
      get vhost() {
        // It is unescaped once more.
        return encodeURIComponent(address().vhost);
      },
      get heartbeat() {
        return address().heartbeatSeconds ?? heartbeatSecondsDefault;
      },
    };
  }

  #socketOptions(): SocketOptions & { readonly signal: AbortSignal } {
    const { source, purpose, settings } = this.#dependencies;
    const { caFile, certificateFile, keyFile, serverName } = settings.tls;
    const read = (setting: string, file: string): Buffer => {
      try {
        return readFileSync(file);
      } catch (error) {
        throw amqpTlsFile(this.place(purpose), setting, error instanceof Error ? error : new Error('unreadable'));
      }
    };
    return {
      noDelay: true,
      keepAlive: true,
      // One that is silent leaves time for the others.
      timeout: Math.max(1, Math.floor(settings.startTimeoutMs / this.#addresses.length)),
      signal: this.#opening.signal,
      clientProperties: { connection_name: `edgeward ${source}, ${purpose}` },
      ...(caFile === undefined ? {} : { ca: read('caFile', caFile) }),
      ...(certificateFile === undefined ? {} : { cert: read('certificateFile', certificateFile) }),
      ...(keyFile === undefined ? {} : { key: read('keyFile', keyFile) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    };
  }

  /** After each round of all addresses; none between them. */
  #delayMs(): number {
    const { reconnectMsMin: delayMsMin, reconnectMsMax: delayMsMax } = this.#dependencies.settings;
    const count = this.#addresses.length;
    if (this.#failures % count !== 0) return 0;
    return backOffDelayMs({ delayMsMin, delayMsMax }, Math.max(1, this.#failures / count), Math.random());
  }

  #gain(model: ChannelModel): void {
    this.#failures = 0;
    this.#fault = undefined;
    this.#refusal = undefined;
    this.#model = model;
    this.#up.resolve(model);
  }

  #lose(error: Error): void {
    this.#up = Promise.withResolvers();
    this.#model = undefined;
    this.#tell(amqpFault(error, this.place(this.#dependencies.purpose)));
  }

  #fail(error: Error): void {
    const fault = amqpFault(error, this.place(this.#dependencies.purpose));
    this.#failures += 1;
    this.#turn += 1;
    this.#tell(fault);
    if (this.#failures === this.#addresses.length) this.#triedAll.reject(fault);
  }

  #tell(fault: Fault): void {
    const isNews = this.#fault?.message !== fault.message;
    this.#fault = fault;
    if (isNews) this.#dependencies.onFault(fault);
  }
}
