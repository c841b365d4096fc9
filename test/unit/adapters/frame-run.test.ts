import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameRun } from '../../../src/adapters/outbound/frame-run.ts';
import { FrameRuns } from '../../../src/adapters/outbound/frame-runs.ts';

const frame = (text: string) => Buffer.from(text);

function runOf(frames: readonly Buffer[]): FrameRun {
  const [first, ...others] = frames;
  if (!first) throw new Error('a run has at least one frame');
  return others.reduce((run, next) => new FrameRun(run, next), new FrameRun(undefined, first));
}

describe('a run of frames', () => {
  test('has its frames in order, and joins them', () => {
    const run = runOf(['a', 'b', 'c'].map(frame));
    expect([run.frames.map(String), run.buffers.map(String)]).toEqual([['a', 'b', 'c'], ['abc']]);
  });

  test('is what it was when another one goes on from it', () => {
    const before = runOf(['a', 'b'].map(frame));
    const run = new FrameRun(before, frame('c'));
    expect([before.buffers.map(String), run.buffers.map(String)]).toEqual([['ab'], ['abc']]);
  });

  test('copies nothing where there is one frame, and joins once for everybody', () => {
    const only = frame('a');
    expect(new FrameRun(undefined, only).buffers[0]).toBe(only);
    const run = runOf(['a', 'b'].map(frame));
    expect(run.buffers).toBe(run.buffers);
  });

  test('does not copy large frames, nor join to large buffers', () => {
    const large = Buffer.alloc(16_384);
    const small = Buffer.alloc(16_383);
    expect(runOf([frame('a'), large, large, frame('b'), frame('c')]).buffers.map(({ length }) => length)).toEqual([
      1, 16_384, 16_384, 2,
    ]);
    expect(runOf([frame('a'), large]).buffers[1]).toBe(large);
    expect(runOf([small, small, small, small, frame('abcd'), frame('e')]).buffers.map(({ length }) => length)).toEqual([
      65_536, 1,
    ]);
  });

  test('loses and adds nothing, whatever the sizes', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 8000, max: 40_000 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const frames = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const run = runOf(frames);
        expect(run.frames).toEqual(frames);
        expect(Buffer.concat(run.buffers).equals(Buffer.concat(frames))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the runs of connections', () => {
  test('are the same for those that are owed the same, whatever the order of the connections', () => {
    const runs = new FrameRuns();
    const [first, second, third] = [frame('1'), frame('2'), frame('3')];
    const everybody = [0, 1, 2, 3, 4, 5];
    const owed = everybody.map(() => runs.extend(undefined, first));
    for (const each of [1, 3, 5]) owed[each] = runs.extend(owed[each], second);
    for (const each of everybody) owed[each] = runs.extend(owed[each], third);
    expect(owed.map((run) => run.buffers.map(String))).toEqual(everybody.map((each) => [each % 2 ? '123' : '13']));
    expect(new Set(owed).size).toBe(2);
  });

  test('tell equal frames of two events apart', () => {
    const runs = new FrameRuns();
    const run = runs.extend(undefined, frame('a'));
    expect(runs.extend(undefined, frame('a'))).not.toBe(run);
    expect(runs.extend(run, frame('a')).frames.length).toBe(2);
  });

  test('take one frame several times', () => {
    const runs = new FrameRuns();
    const same = frame('a');
    const twice = runs.extend(runs.extend(undefined, same), same);
    expect([
      twice.frames.length,
      runs.extend(undefined, same).frames.length,
      runs.extend(twice, same).frames.length,
    ]).toEqual([2, 1, 3]);
  });

  test('are forgotten once they are written', () => {
    const runs = new FrameRuns();
    const same = frame('a');
    const [run, other] = [runs.extend(undefined, same), runs.extend(new FrameRun(undefined, frame('b')), same)];
    runs.forget();
    expect([run, other]).not.toContain(runs.extend(undefined, same));
  });

  test('are what each connection was owed, whatever is sent to whom', () => {
    const sends = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), { maxLength: 12 });
    fc.assert(
      fc.property(sends, (receivers) => {
        const runs = new FrameRuns();
        const owed = new Map<number, { run: FrameRun; texts: string }>();
        for (const [index, to] of receivers.entries()) {
          const text = String.fromCharCode(97 + index);
          const sent = frame(text);
          for (const each of to) {
            const { run, texts } = owed.get(each) ?? { run: undefined, texts: '' };
            owed.set(each, { run: runs.extend(run, sent), texts: texts + text });
          }
        }
        const all = [...owed.values()];
        for (const { run, texts } of all) expect(Buffer.concat(run.buffers).toString()).toBe(texts);
        expect(new Set(all.map(({ run }) => run)).size).toBe(new Set(all.map(({ texts }) => texts)).size);
      }),
      { numRuns: 200 },
    );
  });
});
