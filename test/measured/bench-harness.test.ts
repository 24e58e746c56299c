import { AssertionError } from 'node:assert';
import path from 'node:path';
import t from 'tap';
import type * as Built from '#dist/bench.js';
import { type AllocsAssertionError, assertAllocs, withMitata, withTinybench } from '#dist/bench.js';
import { root } from '../support/run.js';

// The child it starts is a built file.
const { countObjects } = require(path.join(root, 'dist/bench')) as typeof Built;

const quick = { warmUp: 50, time: 30 };
const shapes = path.join(root, 'test/programs/bench-shapes.cjs');

function makePoints(): object[] {
  const points: object[] = [];
  for (let i = 0; i < 3; i++) points.push(makePoint(i));
  return points;
}

// Not a place to be inlined: V8's sampler would name the caller.
const makePoint = new Function(
  'x',
  'try { return { x, y: x, z: x, w: x }; } finally { this.last = x; }',
).bind({});

function failure(call: () => unknown): AllocsAssertionError {
  try {
    call();
  } catch (error) {
    return error as AllocsAssertionError;
  }
  throw new Error('nothing was thrown');
}

t.test('assertAllocs lets pass what keeps to the limits, and gives what was measured', async (t) => {
  const measured = assertAllocs({ maxBytesPerOp: 40, maxAllocsPerOp: 1 }, () => ({ a: 1, b: 2 }), quick);
  t.match(measured, { bytesPerOp: 40, allocsPerOp: 1 });
  assertAllocs({ maxBytesPerOp: 0 }, () => {}, quick);
  const later: Promise<unknown> = assertAllocs({ maxAllocsPerOp: 9 }, async () => {}, quick);
  t.match(await later, { allocsPerOp: Number });
});

t.test('assertAllocs fails with an assertion error that names the functions which allocate', async (t) => {
  const error = failure(() => assertAllocs({ maxBytesPerOp: 39, maxAllocsPerOp: 100 }, makePoints, quick));
  t.ok(error instanceof AssertionError);
  t.match(error, { code: 'ERR_MEMPROF_ALLOCS', expected: { maxBytesPerOp: 39 }, operator: 'assertAllocs' });
  const lines = error.message.split('\n');
  t.match(lines[0], /^bytes per op: \d+, over the limit of 39$/);
  t.match(lines[1], /^allocations per op: \d+, within the limit of 100$/);
  t.match(error.message, /^ +\d+\.\d% +\d+ +\d+ {2}makePoints \(\S*bench-harness\.test\.ts:\d+\)$/m);
  t.equal(error.actual.bytesPerOp, error.measurement.bytesPerOp);
  const shares = [...error.message.matchAll(/^ +(\d+\.\d)% /gm)].map((match) => Number(match[1]));
  t.same(
    shares,
    [...shares].sort((a, b) => b - a),
    'the largest first',
  );

  const one = failure(() => assertAllocs({ maxAllocsPerOp: 0 }, () => ({ a: 1 }), quick));
  t.match(one.message, /^bytes per op: 32\nallocations per op: 1, over the limit of 0\n/);
  t.match(one.message, / {2}\(anonymous\) \(\S*bench-harness\.test\.ts:\d+\)$/m, 'its place is there once');
  await t.rejects(
    assertAllocs({ maxBytesPerOp: 100 }, async () => new Array(100).fill(1.5), quick),
    { code: 'ERR_MEMPROF_ALLOCS', message: /^bytes per op: [\d.]+, over the limit of 100\n/ },
  );
});

t.test('assertAllocs refuses limits that limit nothing', (t) => {
  for (const limits of [{}, null, 1]) {
    t.throws(() => assertAllocs(limits as never, () => {}), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  }
  t.throws(() => assertAllocs({ maxBytesPerOp: -1 }, () => {}), { code: 'ERR_MEMPROF_OUT_OF_RANGE' });
  t.throws(() => assertAllocs({ maxAllocsPerOp: '1' as never }, () => {}), {
    code: 'ERR_MEMPROF_INVALID_ARG_TYPE',
  });
  t.end();
});

t.test('countObjects tells objects apart that optimised code takes in one piece', async (t) => {
  t.match(await countObjects(shapes, 'four', quick), { objectsPerOp: 4, stable: true });
  t.match(await countObjects(shapes, 'nothing', quick), { objectsPerOp: 0, bytesPerOp: 0 });
  const later = await countObjects(new URL(`file:${shapes}`), 'later', quick);
  t.ok(later.objectsPerOp >= 3, 'a promise, what the function keeps while it waits, an object', later);
  t.equal(later.sites[0]!.functionName, 'later');
});

t.test('countObjects says what is wrong with the module', async (t) => {
  const failed = (message: RegExp) => ({ code: 'ERR_MEMPROF_BENCH_CHILD', message });
  await t.rejects(countObjects(shapes, 'boom', quick), failed(/boom/));
  await t.rejects(countObjects(shapes, 'missing', quick), failed(/there is no function of that name/));
  await t.rejects(countObjects('/no/such/module.cjs', 'x', quick), failed(/Cannot find module/));
  await t.rejects(countObjects(shapes, 'exits', quick), failed(/exit code 3/));
  await t.rejects(countObjects(shapes, 'hangs', { ...quick, timeout: 1500 }), failed(/for 1500 ms/));
  await t.rejects(countObjects(1 as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  await t.rejects(countObjects(shapes, 'four', { timeout: 1 }), { code: 'ERR_MEMPROF_OUT_OF_RANGE' });
});

t.test('tinybench: columns in its table, and figures in its results', async (t) => {
  const { Bench } = await import('tinybench');
  const settings = { time: 5, warmupTime: 5 };
  const order: string[] = [];
  const bench = withTinybench(new Bench(settings), quick)
    .add('object', () => ({ a: 1, b: 2 }), {
      beforeAll: () => void order.push('before'),
      afterAll: () => void order.push('after'),
    })
    .add('async', async () => {})
    .add('hooked', () => ({}), { beforeEach: () => {} })
    .add('failing', () => {
      throw new Error('boom');
    });
  await bench.run();
  const rows = bench.table() as Record<string, unknown>[];
  t.match(rows[0], { 'Task name': 'object', 'Bytes/op': 40, 'Allocs/op': 1, 'GC/1000 ops': Number });
  t.match(rows[1], { 'Bytes/op': Number, 'Allocs/op': Number });
  t.notOk(
    rows.slice(2).some((row) => row && 'Bytes/op' in row),
    'what cannot be measured has none',
    { rows },
  );
  t.match(bench.results[0], { state: 'completed', memory: { bytesPerOp: 40 } });
  t.equal(order.join(' '), 'before after before after before after', 'warm-up, run, measurement');

  const sync = withTinybench(new Bench(settings), quick).add('object', () => ({ a: 1, b: 2 }));
  sync.runSync();
  t.match(sync.table(), [{ 'Bytes/op': 40 }]);
  t.throws(() => withTinybench({} as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
});

t.test('mitata: the bytes it prints are exact, and results have all figures', async (t) => {
  const { bench, run } = withMitata(await import('mitata'), quick);
  bench('object', () => ({ a: 1, b: 2 })).gc(false);
  bench('array of $n', function* (state: { get(name: string): number }) {
    const n = state.get('n');
    yield () => new Array(n).fill(1.5);
  })
    .gc(false)
    .args('n', [100]);
  const printed: string[] = [];
  const { benchmarks } = await run({ colors: false, throw: true, print: (line) => printed.push(line) });
  t.match(benchmarks[0]!.runs[0]!.stats, { heap: { avg: 40, min: 40, max: 40 }, memory: { allocsPerOp: 1 } });
  t.match(benchmarks[1]!.runs[0]!.stats, { heap: { avg: 848 } });
  t.match(printed.join('\n'), /\( 40\.00 {2}b … {2}40\.00 {2}b\) {2}40\.00 {2}b/);
  t.throws(() => withMitata({} as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
});
