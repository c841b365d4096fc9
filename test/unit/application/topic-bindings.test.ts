import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/application/fault.ts';
import type { BindableSource, Binding, BindRefusal } from '../../../src/application/ports/event-source.ts';
import { createTopicBindings, type TopicBinding } from '../../../src/application/topic-bindings.ts';
import type { StreamType } from '../../../src/domain/stream-index.ts';
import { allowed, refused, type Verdict } from '../../../src/domain/verdict.ts';
import { allowedValue, eventOf, patternOf } from '../../support/domain-fixtures.ts';

const open = new AbortController().signal;
const away = () => new Fault('test_away', 'retry', 'the broker is away');

type Call = {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly answer: (outcome: 'bound' | BindRefusal['kind'] | 'away') => Promise<void>;
};

/** A source whose broker answers when a test says so. */
function fakeSource(types: Readonly<Record<string, StreamType>> = { s: 'topic' }) {
  const calls: Call[] = [];
  /** What the broker has, with how often it was bound. */
  const bound = new Map<string, number>();
  const change = (name: string, by: number) => {
    const count = (bound.get(name) ?? 0) + by;
    if (count === 0) bound.delete(name);
    else bound.set(name, count);
  };
  const source: Pick<BindableSource, 'streamType' | 'bind'> = {
    streamType: (stream) => types[stream],
    bind(stream, pattern, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Verdict<Binding, BindRefusal>>();
      const name = `${stream} ${pattern.text}`;
      calls.push({
        name,
        signal,
        async answer(outcome) {
          if (outcome === 'away') reject(away());
          else if (outcome !== 'bound') resolve(refused({ kind: outcome, reason: 'the broker says no' }));
          else {
            change(name, 1);
            let held = true;
            const release = () => {
              if (held) change(name, -1);
              held = false;
            };
            resolve(allowed({ release }));
          }
          await turn();
        },
      });
      return promise;
    },
  };
  return { calls, bound, source: source as BindableSource };
}

const grantOf = (key: string, filter?: { id: string; admits(): boolean }, stream = 's') => ({
  stream,
  pattern: patternOf(key),
  filter,
});
const event = (key: string, stream = 's') => eventOf({}, { stream, key });
const last = <T>(items: readonly T[]): T => {
  const item = items.at(-1);
  if (item === undefined) throw new Error('there is none');
  return item;
};

describe('one pattern that many ask for', () => {
  test('is bound once, is one entry, and is released with the last of them', async () => {
    const { source, calls, bound } = fakeSource();
    const bindings = createTopicBindings(() => [source]);
    const waiting = Array.from({ length: 100 }, () => bindings.bind(grantOf('a.#'), open));
    expect(calls).toHaveLength(1);
    await last(calls).answer('bound');
    const held = (await Promise.all(waiting)).map((each) => allowedValue(each));
    held.push(allowedValue(await bindings.bind(grantOf('a.#'), open)));
    expect(new Set(held.map(({ pattern }) => pattern)).size).toBe(1);
    expect(bindings.match(event('a.b'))).toEqual([held[0]?.pattern]);
    expect([calls.length, bindings.size, bound.size]).toEqual([1, 1, 1]);

    for (const each of held.slice(1)) {
      each.release();
      each.release();
    }
    expect([bindings.match(event('a')).length, bound.size]).toEqual([1, 1]);
    held[0]?.release();
    await turn();
    expect([bindings.match(event('a')).length, bindings.size, bound.size]).toEqual([0, 0, 0]);
  });

  test('is refused to all who wait for it, and disturbs nobody else', async () => {
    const { source, calls } = fakeSource();
    const bindings = createTopicBindings(() => [source]);
    const other = bindings.bind(grantOf('b'), open);
    await last(calls).answer('bound');
    const waiting = [bindings.bind(grantOf('a'), open), bindings.bind(grantOf('a'), open)];
    await last(calls).answer('no-stream');
    for (const each of waiting) {
      expect(await each).toEqual(refused({ code: 'stream_unknown', reason: 'the broker says no' }));
    }
    expect(bindings.match(event('b'))).toEqual([allowedValue(await other).pattern]);
    expect(bindings.size).toBe(1);
    // Whoever comes later asks again.
    const again = bindings.bind(grantOf('a'), open);
    expect(calls).toHaveLength(3);
    await last(calls).answer('no-pattern');
    expect(await again).toMatchObject({ reason: { code: 'bind_invalid' } });
  });

  test('that cannot be bound now rejects for all who wait for it', async () => {
    const { source, calls } = fakeSource();
    const bindings = createTopicBindings(() => [source]);
    const waiting = [bindings.bind(grantOf('a'), open), bindings.bind(grantOf('a'), open)];
    const outcomes = Promise.allSettled(waiting);
    await last(calls).answer('away');
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'test_away' } });
    expect(bindings.size).toBe(0);
  });
});

describe('who goes while it waits', () => {
  test('leaves nothing behind; the others go on waiting', async () => {
    const { source, calls, bound } = fakeSource();
    const bindings = createTopicBindings(() => [source]);
    const gone = new AbortController();
    const [first, second] = [bindings.bind(grantOf('a'), gone.signal), bindings.bind(grantOf('a'), open)];
    gone.abort();
    await expect(first).rejects.toThrow();
    expect(last(calls).signal.aborted).toBe(false);
    await last(calls).answer('bound');
    allowedValue(await second).release();
    await turn();
    expect([bindings.size, bound.size]).toEqual([0, 0]);
  });

  test('the last one calls the broker off; what it has bound all the same is released', async () => {
    const { source, calls, bound } = fakeSource();
    const bindings = createTopicBindings(() => [source]);
    const gone = new AbortController();
    const waiting = bindings.bind(grantOf('a'), gone.signal);
    gone.abort();
    await expect(waiting).rejects.toThrow();
    expect([last(calls).signal.aborted, bindings.size]).toEqual([true, 0]);
    // Somebody else who comes now is no part of it.
    const other = bindings.bind(grantOf('a'), open);
    await calls[0]?.answer('bound');
    expect(bound.size).toBe(0);
    await calls[1]?.answer('bound');
    expect(bindings.match(event('a'))).toEqual([allowedValue(await other).pattern]);
    await expect(bindings.bind(grantOf('b'), gone.signal)).rejects.toThrow();
    expect(calls).toHaveLength(2);
  });
});

describe('sources', () => {
  test('that have the stream all bind it, or none does', async () => {
    const [one, two, three] = [fakeSource(), fakeSource(), fakeSource({ other: 'topic' })];
    const bindings = createTopicBindings(() => [one.source, two.source, three.source]);
    const waiting = bindings.bind(grantOf('a'), open);
    await last(one.calls).answer('bound');
    await last(two.calls).answer('no-stream');
    expect(await waiting).toMatchObject({ ok: false });
    expect([one.bound.size, three.calls.length]).toEqual([0, 0]);
  });

  test('that do not have it need not: its events come anyway, and match as those of a topic exchange', async () => {
    const bindings = createTopicBindings(() => [fakeSource().source]);
    const { pattern } = allowedValue(await bindings.bind(grantOf('a.*', undefined, 'pubsub'), open));
    expect(bindings.match(event('a.b', 'pubsub'))).toEqual([pattern]);
    expect(bindings.match(event('a.b'))).toEqual([]);
  });

  test('say how the patterns of a stream match', async () => {
    const { source, calls } = fakeSource({ s: 'direct', f: 'fanout' });
    const bindings = createTopicBindings(() => [source]);
    for (const stream of ['s', 'f']) {
      void bindings.bind(grantOf('a.#', undefined, stream), open);
      await last(calls).answer('bound');
    }
    expect([bindings.match(event('a.b')).length, bindings.match(event('a.#')).length]).toEqual([0, 1]);
    expect(bindings.match(event('x', 'f'))).toHaveLength(1);
  });
});

test('binds with different filters share the broker’s binding and have entries of their own', async () => {
  const { source, calls, bound } = fakeSource();
  const bindings = createTopicBindings(() => [source]);
  const filterOf = (id: string, admitted: boolean) => ({ id, admits: () => admitted });
  const waiting = [filterOf('1', true), filterOf('2', false), filterOf('1', true)].map((filter) =>
    bindings.bind(grantOf('a', filter), open),
  );
  await last(calls).answer('bound');
  const [one, two, three] = (await Promise.all(waiting)).map((each) => allowedValue(each));
  expect(one?.pattern).toBe(three?.pattern);
  expect(two?.pattern).not.toBe(one?.pattern);
  expect(bindings.match(event('a'))).toEqual([one?.pattern]);
  for (const each of [one, two]) each?.release();
  expect([bindings.match(event('a')).length, bound.size]).toEqual([1, 1]);
  three?.release();
  await turn();
  expect([bindings.match(event('a')).length, bound.size]).toEqual([0, 0]);
});

test('whatever is bound, released, called off and refused: the counts are those of a model', async () => {
  const key = fc.constantFrom('a', 'b.#', '*');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('bind' as const), key }),
    fc.record({ kind: fc.constant('leave' as const), nth: fc.nat(20) }),
    fc.record({
      kind: fc.constant('answer' as const),
      nth: fc.nat(5),
      outcome: fc.constantFrom('bound' as const, 'bound' as const, 'no-stream' as const, 'away' as const),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { source, calls, bound } = fakeSource();
      const bindings = createTopicBindings(() => [source]);
      type Client = { readonly key: string; readonly gone: AbortController; binding?: TopicBinding };
      const clients = new Set<Client>();
      const answered = new Set<Call>();
      for (const each of steps) {
        if (each.kind === 'bind') {
          const client: Client = { key: each.key, gone: new AbortController() };
          clients.add(client);
          bindings.bind(grantOf(each.key), client.gone.signal).then(
            (verdict) => {
              if (verdict.ok) client.binding = verdict.value;
              else clients.delete(client);
            },
            () => void clients.delete(client),
          );
        } else if (each.kind === 'leave') {
          const client = [...clients][each.nth];
          client?.gone.abort();
          client?.binding?.release();
          if (client) clients.delete(client);
        } else {
          const call = calls.filter((one) => !answered.has(one))[each.nth];
          if (call) answered.add(call);
          await call?.answer(each.outcome);
        }
        await turn();

        const wanted = new Set([...clients].map((client) => client.key));
        const holding = new Set([...clients].filter(({ binding }) => binding).map((client) => client.key));
        expect(bindings.size).toBe(wanted.size);
        expect(new Map([...bound])).toEqual(new Map([...holding].map((name) => [`s ${name}`, 1])));
        const patterns = new Set([...clients].flatMap(({ binding }) => (binding ? [binding.pattern] : [])));
        expect(patterns.size).toBe(holding.size);
        for (const name of ['a', 'b', 'b.c', 'c']) {
          const matching = [...holding].filter(
            (each) =>
              each === name || (each === '*' && !name.includes('.')) || (each === 'b.#' && name.startsWith('b')),
          );
          expect(bindings.match(event(name))).toHaveLength(matching.length);
        }
      }
    }),
    { numRuns: 200 },
  );
});
