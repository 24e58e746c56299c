'use strict';
// How far are allocated bytes from the truth? First garbage of one size at a time, from 32 B to 4 MiB, of which we know how
// much there was. Then a real program, split over its functions, beside a run in which every allocation was sampled: the
// distance is half the sum of the differences between the shares. Without the optimising compilers, since what they inline,
// and so which function an allocation counts for, is never twice the same. memprof runs at its defaults.
const fs = require('node:fs');
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { allocSites, distance, sharesByFunction } = require('./support/alloc-sites.cjs');
const { linePlot } = require('./support/line-plot.cjs');
const { median } = require('./support/statistics.cjs');
const { titleOf, usable } = require('./profilers/index.cjs');

const KIB = 1024;
const SIZES = [32, 128, KIB, 8 * KIB, 64 * KIB, 256 * KIB, 512 * KIB, 768 * KIB, 1024 * KIB, 4096 * KIB];
const options = readOptions(
  {
    interval: 524288,
    depth: 64,
    objects: 40_000, // of each size; of the small ones `gibibytes`, of those over 1 MiB a quarter
    gibibytes: 4,
    sizeruns: 5, // of the sizes that the target is about
    // Little work, so that all of it can be sampled, and a small interval to match.
    splitinterval: 4096,
    splitbatches: 60,
    splitruns: 5,
  },
  { objects: 500, gibibytes: 1 / 16, sizeruns: 1, splitbatches: 4, splitruns: 1 },
);
const { interval, depth } = options;
const NAMES = ['memprof', 'datadog-alloc', 'inspector-alloc', 'v8-alloc'];
const MOST_ERROR = 0.03;
const NO_OPTIMISING = ['--no-opt', '--no-maglev', '--no-sparkplug'];
const WARM_UP = 20;
const REFERENCE = 'inspector-alloc';

const kib = (size) =>
  size < KIB ? `${size} B` : size < KIB * KIB ? `${size / KIB} KiB` : `${size / KIB / KIB} MiB`;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

function countOf(size) {
  if (size > 1024 * KIB) return Math.ceil(options.objects / 4);
  return size >= 256 * KIB ? options.objects : Math.ceil((options.gibibytes * 2 ** 30) / size);
}

const isJudged = (size) => size >= 256 * KIB && size <= 1024 * KIB;

async function errorOf(profiler, size, count) {
  const answer = await runProgram(
    'sizes',
    { profiler, size, count, interval, depth },
    // A young generation with room for large objects: with the smallest there are 100,000 collections.
    { flags: ['--min-semi-space-size=16'] },
  );
  const own = allocSites(answer).filter(({ stack }) =>
    stack.some((frame) => frame.startsWith('allocateSizes ')),
  );
  return own.reduce((sum, site) => sum + site.bytes, 0) / (size * count) - 1;
}

/** `errors` is each profiler's median, `worst` the one farthest from 0. */
async function measureSizes(names) {
  const rows = [];
  for (const size of SIZES) {
    const count = countOf(size);
    const runs = isJudged(size) ? options.sizeruns : 1;
    const sampled = 1 - Math.exp(-size / interval);
    const measured = Object.fromEntries(names.map((name) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const name of names) measured[name].push(await errorOf(name, size, count));
    }
    const ofEach = (figure) => Object.fromEntries(names.map((name) => [name, figure(measured[name])]));
    rows.push({
      size,
      count,
      runs,
      sigma: Math.sqrt((1 - sampled) / (sampled * count)),
      errors: ofEach(median),
      worst: ofEach((errors) => errors.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))),
    });
    process.stderr.write(`${kib(size)}\n`);
  }
  return rows;
}

async function splitOf(profiler, ownInterval) {
  const args = { profiler, batches: options.splitbatches, warmup: WARM_UP, interval: ownInterval, depth };
  const answer = await runProgram('split', args, { flags: NO_OPTIMISING });
  return { shares: sharesByFunction(allocSites(answer)), status: answer.status };
}

async function measureSplit(names) {
  const reference = await splitOf(REFERENCE, 1);
  const again = await splitOf(REFERENCE, 1);
  const rows = [
    {
      profiler: 'reference',
      what: 'the reference again',
      distances: [distance(reference.shares, again.shares)],
    },
  ];
  for (const profiler of names) rows.push({ profiler, what: titleOf(profiler), distances: [] });
  for (let run = 0; run < options.splitruns; run++) {
    for (const row of rows.slice(1)) {
      const { shares, status } = await splitOf(row.profiler, options.splitinterval);
      row.distances.push(distance(reference.shares, shares));
      if (status) row.lostShare = status.heap.samplesLost / status.heap.samplesSeen;
    }
    process.stderr.write(`split, run ${run + 1}\n`);
  }
  return {
    functions: reference.shares.size,
    rows: rows.map((row) => ({ ...row, distance: median(row.distances) })),
  };
}

async function main() {
  const { found, missing } = usable(NAMES);
  const sizes = await measureSizes(found);
  const split = await measureSplit(found);
  const judged = sizes.filter(({ size }) => isJudged(size));
  const worstOf = (name) => Math.max(...judged.map((row) => Math.abs(row.worst[name])));
  const worst = worstOf('memprof');
  const peers = found
    .filter((name) => name !== 'memprof')
    .map((name) => `${titleOf(name)} ${percent(worstOf(name))}`);
  const targets = [
    {
      what: `error of alloc_space, 256 KiB to 1 MiB, ${options.objects} objects each, worst of ${options.sizeruns} runs`,
      target: `≤ ${percent(MOST_ERROR)} with 40000 each`,
      measured: `${percent(worst)}; ${peers.join(', ')}`,
      met: worst <= MOST_ERROR,
    },
  ];
  console.table(
    sizes.map(({ size, count, sigma, errors }) => ({
      size: kib(size),
      count,
      'sigma of sampling': percent(sigma),
      ...Object.fromEntries(found.map((name) => [titleOf(name), percent(errors[name])])),
    })),
  );
  console.table(
    split.rows.map(({ what, distance: far, lostShare }) => ({
      split: what,
      distance: far.toFixed(3),
      'samples lost': lostShare === undefined ? '' : percent(lostShare),
    })),
  );
  printTargets(targets);
  const file = writeResults('accuracy', options, { missing, sizes, split, targets });
  const plot = linePlot({
    title: 'Error of allocated bytes by object size',
    xTitle: 'object size',
    yTitle: '%',
    xLabels: SIZES.map((size, i) => [i, kib(size)]),
    series: found.map((name) => ({
      name: titleOf(name),
      points: sizes.map(({ errors }, i) => [i, 100 * errors[name]]),
    })),
  });
  fs.writeFileSync(file.replace(/json$/, 'svg'), plot);
}

main();
