import type { Namespace } from 'socket.io';
import { Adapter, SessionAwareAdapter } from 'socket.io-adapter';
import { z } from 'zod';
import { systemClock } from '../../system-clock.ts';
import { wholeNumber } from '../endpoint-fields.ts';
import { type PressureListener, SendBudget } from '../send-budget.ts';
import { SendQueues } from '../send-queue.ts';
import type { CutListener } from './adapter-outlet.ts';
import { AdapterOutlets } from './adapter-outlets.ts';

const isFunction = (value: unknown): boolean => typeof value === 'function';

const adapterSettings = z.strictObject({
  sendQueueBytesMax: wholeNumber(1024, 1_000_000_000).default(1_048_576),
  sendQueuesBytesMax: wholeNumber(1024, 1_000_000_000_000).default(268_435_456),
  onCut: z.custom<CutListener>(isFunction, 'must be a function').default(() => () => {}),
  onPressure: z.custom<PressureListener>(isFunction, 'must be a function').default(() => () => {}),
});

export type AdapterOptions = {
  /** A client that is owed more bytes of broadcasts than this, because it does not read, is cut. 1 MiB by default, 1024 at least. */
  readonly sendQueueBytesMax?: number;
  /**
   * What all clients together may be owed (bytes); 256 MiB by default. Beyond it, those that take nothing for a second
   * are cut, the most owed first, until three quarters of it are left.
   */
  readonly sendQueuesBytesMax?: number;
  /** Told of each client that is cut. `failed`: writing to it threw. Must not throw. */
  readonly onCut?: CutListener;
  /** Told when `sendQueuesBytesMax` is exceeded, and when it is no longer. Must not throw. */
  readonly onPressure?: PressureListener;
};

/**
 * An adapter for a Socket.IO 4 server, `io.adapter(createAdapter())`: the in-memory adapter of `socket.io-adapter`, but a
 * broadcast is framed once for all clients, and all that a client is owed within a turn of the event loop is written at
 * once. One for each server.
 *
 * @throws a `TypeError` for an option that is out of range or unknown, and where it is given to a second server.
 */
export function createAdapter(options: AdapterOptions = {}): (nsp: Namespace) => Adapter {
  const { sendQueueBytesMax, sendQueuesBytesMax, onCut, onPressure } = readOptions(options);
  const budget = new SendBudget(sendQueuesBytesMax, systemClock, onPressure);
  const outlets = new AdapterOutlets(new SendQueues(sendQueueBytesMax, budget), onCut);
  let server: Namespace['server'] | undefined;
  // Socket.IO makes one for each namespace, with `new`.
  return function CoalescingAdapter(nsp: Namespace): Adapter {
    server ??= nsp.server;
    if (server !== nsp.server) throw new TypeError('createAdapter: an adapter is for one server; create another one');
    const Base = nsp.server._opts.connectionStateRecovery ? SessionAwareAdapter : Adapter;
    const adapter = new Base(nsp);
    const addAll = adapter.addAll.bind(adapter);
    // Once a socket is connected it joins the room that is named after it.
    adapter.addAll = (id, rooms) => {
      outlets.adopt(nsp.sockets?.get(id));
      return addAll(id, rooms);
    };
    return adapter;
  };
}

function readOptions(options: unknown): z.infer<typeof adapterSettings> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('createAdapter: the options must be an object');
  }
  // Without what others may have put on Object.prototype.
  const read = adapterSettings.safeParse(Object.assign(Object.create(null), options));
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new TypeError(`createAdapter: ${problems.join('; ')}`);
}
