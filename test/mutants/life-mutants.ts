import type { DrainResult, SourceState } from '../../src/application/ports/event-source.ts';
import { accept } from '../contracts/handler-probe.ts';
import { type Mutant, purge, withMembers, withObservations } from './broken-memory-source.ts';

const nothing: DrainResult = { settled: 0, abandoned: 0 };
/** Long past the patience of a clause, and still short of keeping the run waiting. */
const leakMs = 5000;

/** A source that learns of the running handlers, and runs something once there are none or a handler is done. */
const counting = () => {
  let running = 0;
  let onDone = () => {};
  return {
    get running() {
      return running;
    },
    whenDone(callback: () => void) {
      onDone = callback;
    },
    async run<T>(work: () => Promise<T>): Promise<T> {
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
        onDone();
      }
    },
  };
};

const drainMutants: readonly Mutant[] = [
  {
    name: 'what was published before the start is purged',
    fails: ['S8', 'S13.1'],
    make: withMembers((source, broker) => ({
      start(handler) {
        purge(broker);
        return source.start(handler);
      },
    })),
  },
  {
    name: 'drain resolves early',
    fails: ['S12'],
    make: withMembers((source) => ({
      async drain(deadline) {
        void source.drain(deadline);
        return nothing;
      },
    })),
  },
  {
    name: 'drain gives back what is in hand',
    fails: ['S12', 'S14'],
    make: withMembers((source) => ({ drain: () => source.drain(AbortSignal.abort()) })),
  },
  {
    name: 'drain goes on taking while handlers run',
    fails: ['S12'],
    make: withMembers((source) => {
      const handlers = counting();
      return {
        start: (handler) => source.start((message) => handlers.run(async () => handler(message))),
        drain: async (deadline) => {
          if (handlers.running > 0) await new Promise<void>((resolve) => handlers.whenDone(resolve));
          return source.drain(deadline);
        },
      };
    }),
  },
  {
    name: 'drain counts nothing',
    fails: ['S12', 'S13', 'S13.1', 'S14'],
    make: withMembers((source) => ({
      async drain(deadline) {
        await source.drain(deadline);
        return nothing;
      },
    })),
  },
  {
    name: 'drain waits for ever',
    fails: ['S13'],
    make: withMembers((source) => ({ drain: () => source.drain(new AbortController().signal) })),
  },
  {
    name: 'what is abandoned is lost',
    fails: ['S13', 'S13.1'],
    make: withMembers((source, broker) => ({
      async drain(deadline) {
        const result = await source.drain(deadline);
        purge(broker);
        return result;
      },
    })),
  },
  {
    name: 'a late settlement settles what is not its own any more',
    fails: ['S13'],
    make: withMembers((source, broker) => ({
      start: (handler) =>
        source.start(async (message) => {
          const settlement = await handler(message);
          if (source.state.kind === 'stopped') purge(broker);
          return settlement;
        }),
    })),
  },
  {
    name: 'a second drain has a result of its own',
    fails: ['S14'],
    make: withMembers((source) => {
      let drains = 0;
      return {
        async drain(deadline) {
          drains += 1;
          const result = await source.drain(deadline);
          return drains === 1 ? result : nothing;
        },
      };
    }),
  },
  {
    name: 'a further drain rejects',
    fails: ['S14'],
    make: withMembers((source) => {
      let drains = 0;
      return {
        async drain(deadline) {
          drains += 1;
          if (drains > 2) throw new Error('drained already');
          return source.drain(deadline);
        },
      };
    }),
  },
  {
    name: 'drain before start never ends',
    fails: ['S14.1'],
    make: withMembers((source) => ({
      drain: (deadline) => (source.state.kind === 'stopped' ? new Promise(() => {}) : source.drain(deadline)),
    })),
  },
  {
    name: 'a drained source is started again',
    fails: ['S14.1'],
    make: withMembers((source) => ({ start: (handler) => source.start(handler).catch(() => {}) })),
  },
];

const leakMutants: readonly Mutant[] = [
  {
    name: 'a fault quotes the body',
    fails: ['S18'],
    make: (broker, context) =>
      withMembers((source) => ({
        start: (handler) =>
          source.start((message) => {
            const error = new Error(`cannot handle ${new TextDecoder().decode(message.event.payload)}`);
            context.observer.observe({ kind: 'source-fault', source: source.name, error });
            return handler(message);
          }),
      }))(broker, context),
  },
  {
    name: 'a state quotes an attribute',
    fails: ['S18'],
    make: withMembers((source) => {
      let value = '';
      return {
        get state(): SourceState {
          return value === '' ? source.state : { kind: 'waiting', reason: value, isConnected: false };
        },
        start: (handler) =>
          source.start((message) => {
            value = message.event.attributes.get('name') ?? '';
            return handler(message);
          }),
      };
    }),
  },
  {
    name: 'a timer is left',
    fails: ['S19'],
    make: withMembers((source) => ({
      start(handler) {
        setTimeout(() => {}, leakMs);
        return source.start(handler);
      },
    })),
  },
  {
    name: 'a timer of the clock is left',
    fails: ['S19'],
    make: (broker, context) =>
      withMembers((source) => ({
        start(handler) {
          context.clock.schedule(leakMs, () => {});
          return source.start(handler);
        },
      }))(broker, context),
  },
  {
    name: 'a listener is left on the deadline',
    fails: ['S19'],
    make: withMembers((source) => ({
      drain(deadline) {
        deadline.addEventListener('abort', () => {});
        return source.drain(deadline);
      },
    })),
  },
];

const stateMutants: readonly Mutant[] = [
  { name: 'pause does nothing', fails: ['S21'], make: withMembers(() => ({ pause: () => {} })) },
  { name: 'resume does nothing', fails: ['S21'], make: withMembers(() => ({ resume: () => {} })) },
  {
    name: 'pause keeps its reason to itself',
    fails: ['S21'],
    make: withMembers((source) => ({ pause: () => source.pause('paused') })),
  },
  {
    name: 'pause settles what is in hand',
    fails: ['S21'],
    make: withMembers((source) => {
      const paused = Promise.withResolvers<typeof accept>();
      return {
        start: (handler) => source.start((message) => Promise.race([paused.promise, handler(message)])),
        pause() {
          paused.resolve(accept);
        },
      };
    }),
  },
  {
    name: 'the state is always consuming',
    fails: ['S12', 'S13', 'S21', 'S23'],
    make: withMembers(() => ({ state: { kind: 'consuming' } })),
  },
  {
    name: 'states are not observed',
    fails: ['S23'],
    make: withObservations((observation) => (observation.kind === 'source-state' ? undefined : observation)),
  },
  {
    name: 'start resolves before it consumes',
    fails: ['S23'],
    make: withMembers((source) => ({
      async start(handler) {
        setImmediate(() => void source.start(handler));
      },
    })),
  },
];

export const lifeMutants: readonly Mutant[] = [...drainMutants, ...leakMutants, ...stateMutants];
