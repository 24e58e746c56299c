import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { normal, seededRandom } from '../support/random.js';
import { root } from '../support/run.js';

interface Interval {
  median: number;
  low: number;
  high: number;
}

const bench = path.join(root, 'bench');
const load = createRequire(path.join(bench, 'index.cjs'));
const { bootstrapMedian, median, quantile, rise, shuffled } = load('./support/statistics.cjs') as {
  bootstrapMedian(values: number[], resamples?: number, seed?: number): Interval;
  median(values: number[]): number;
  quantile(values: number[], q: number): number;
  rise(values: number[]): number;
  shuffled(values: number[], random: () => number): number[];
};

t.test('medians and quantiles', (t) => {
  const values = [5, 1, 4, 2];
  t.equal(median(values), 3, 'between the middle two of an even number');
  t.equal(median([7, 1, 3]), 3);
  t.strictSame(values, [5, 1, 4, 2], 'what is given is not sorted');
  t.equal(quantile([0, 10, 20], 0.25), 5, 'in between, along the line');
  t.equal(quantile([0, 10, 20], 1), 20);
  t.throws(() => median([]), RangeError);
  t.end();
});

t.test('the bootstrap interval holds the true median about as often as it says', (t) => {
  const random = seededRandom(7);
  const TRIALS = 400;
  let covered = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const values = Array.from({ length: 15 }, () => 1 + 0.02 * normal(random));
    const { low, high, median: middle } = bootstrapMedian(values, 300, trial);
    if (low > middle || middle > high) t.fail('the median is outside its interval', { values });
    if (low <= 1 && 1 <= high) covered++;
  }
  // Percentile intervals of a median of 15 are a little narrow. Sigma of the share is 1.1 %: these bounds are 4 of them.
  t.ok(covered / TRIALS > 0.89 && covered / TRIALS < 0.995, 'covered', { covered });
  t.end();
});

t.test('the same values have the same interval, a single one none', (t) => {
  const values = [1, 1.1, 0.9, 1.05, 0.98];
  t.strictSame(bootstrapMedian(values), bootstrapMedian(values));
  t.strictSame(bootstrapMedian([2]), { median: 2, low: 2, high: 2 });
  t.end();
});

t.test('rise is that of the line of least squares', (t) => {
  t.ok(Math.abs(rise([3, 5, 7, 9]) - 6) < 1e-12);
  t.equal(rise([4, 4, 4]), 0);
  t.ok(Math.abs(rise([0, 1, 0, 1, 0])) < 1e-12, 'what goes up and down does not rise');
  t.end();
});

t.test('shuffling keeps what there is, and moves it', (t) => {
  const values = Array.from({ length: 20 }, (_, i) => i);
  const moved = shuffled(values, seededRandom(3));
  t.notSame(moved, values);
  t.strictSame(
    moved.sort((a, b) => a - b),
    values,
  );
  t.end();
});

t.test('splits: distance and shares', (t) => {
  const { distance, sharesByFunction } = load('./support/alloc-sites.cjs') as {
    distance(a: Map<string, number>, b: Map<string, number>): number;
    sharesByFunction(sites: { stack: string[]; bytes: number }[]): Map<string, number>;
  };
  const shares = sharesByFunction([
    { stack: ['f a.js', 'main a.js'], bytes: 30 },
    { stack: ['f a.js'], bytes: 30 },
    { stack: ['g a.js'], bytes: 20 },
    { stack: ['(external) '], bytes: 1000 },
  ]);
  t.strictSame(
    [...shares.entries()],
    [
      ['f a.js', 0.75],
      ['g a.js', 0.25],
    ],
  );
  t.equal(distance(shares, shares), 0);
  t.equal(distance(shares, new Map([['f a.js', 1]])), 0.25);
  t.equal(distance(shares, new Map([['h a.js', 1]])), 1);
  t.end();
});

t.test('the tables of docs/benchmarks.md are those of the committed results', async (t) => {
  await t.resolves(promisify(execFile)(process.execPath, [path.join(bench, 'doc-tables.cjs'), '--check']));
});
