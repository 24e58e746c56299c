'use strict';
// Compares samples that memprof takes itself with V8's: the cost of a sample, the cost of a GC, and how many samples are
// lost. Each round starts three processes that run the program: one with V8's samples, one with memprof's, and one in
// which memprof and then V8 takes each sample.
// usage: direct.cjs [ROUNDS [RUNS OF THE PROGRAM EACH [SAMPLE INTERVAL [DEPTH [compiler | bundler | server]]]]]
const { spawnSync } = require('node:child_process');
const memprof = require('..');
const { native } = require('../dist/addon/native.js');
const { median } = require('./support/statistics.cjs');

const [rounds, runs, sampleInterval, stackDepth] = [
  Number(process.argv[2] ?? 3),
  Number(process.argv[3] ?? 4),
  Number(process.argv[4] ?? 512 * 1024),
  Number(process.argv[5] ?? 64),
];
const program = process.argv[6] ?? 'compiler';
const WAYS = ['public', 'direct', 'both'];

async function profile(way) {
  memprof.start({ sampleInterval, stackDepth, directSamples: way !== 'public' });
  const workload = require(`./workloads/${program}.cjs`);
  native().compareAllSamples(way === 'both');
  const began = process.cpuUsage();
  for (let i = 0; i < runs; i++) await workload();
  const { user, system } = process.cpuUsage(began);
  const status = memprof.status();
  const { numGC } = memprof.readMemStats();
  return {
    ...status.heap,
    ...status.internal,
    total: status.overhead.total,
    numGC,
    programNs: (user + system) * 1000,
    times: Array.from(native().sampleTimes()),
  };
}

async function main() {
  const way = process.env.MEMPROF_BENCH_CHILD;
  if (way !== undefined) return console.log(JSON.stringify(await profile(way)));
  const results = Object.fromEntries(WAYS.map((each) => [each, []]));
  for (let round = 0; round < rounds; round++) {
    for (const each of WAYS) {
      const env = { ...process.env, MEMPROF_BENCH_CHILD: each };
      const child = spawnSync(process.execPath, [__filename, ...process.argv.slice(2)], {
        env,
        encoding: 'utf8',
        maxBuffer: 2 ** 30,
      });
      if (child.status !== 0) throw new Error(child.stderr);
      results[each].push(JSON.parse(child.stdout));
    }
  }
  const number = (value, digits = 2) => Number(value.toFixed(digits));
  const middle = (each, of) => median(results[each].map(of));
  console.log(
    `${process.version}, the ${program} ${runs} times, sampleInterval ${sampleInterval}, stackDepth ${stackDepth}, ${rounds} rounds`,
  );
  console.table(
    ['public', 'direct'].map((each) => ({
      source: each,
      'came out': results[each].map((r) => r.sourceProblem ?? r.source).join(', '),
      'total %': number(
        middle(each, (r) => 100 * r.total),
        3,
      ),
      samples: middle(each, (r) => r.samplesSeen + r.samplesLost),
      lost: middle(each, (r) => r.samplesLost),
      GCs: middle(each, (r) => r.numGC),
      skipped: middle(each, (r) => r.skippedCollections),
      'ms a GC read': number(
        middle(each, (r) => r.harvestCpuNs / 1e6 / r.harvests),
        3,
      ),
      'longest ms': number(middle(each, (r) => r.longestPauseNs / 1e6)),
      'reading %': number(
        middle(each, (r) => (100 * r.harvestCpuNs) / r.runningNs),
        3,
      ),
      'sampling %': number(
        middle(each, (r) => (100 * (r.directSampleNs + r.v8SampleNs)) / r.runningNs),
        3,
      ),
    })),
  );
  // The first half is left out, because its stacks and functions are still new to memprof.
  const halves = results.both.map(({ times }) => times.slice(times.length >> 1));
  const own = median(halves.flatMap((times) => times.filter((ns) => ns > 0)));
  const v8 = median(halves.flatMap((times) => times.filter((ns) => ns < 0).map((ns) => -ns)));
  const compared = results.both.reduce((sum, r) => sum + r.stacksCompared, 0);
  const problems = results.both.map((r) => r.sourceProblem).filter(Boolean);
  console.log(
    `a sample, median: ours ${number(own / 1000)} us, V8's own ${number(v8 / 1000)} us: 1/${number(v8 / own, 1)}\n` +
      `stacks compared in every frame: ${compared}, different: ${problems.length === 0 ? 0 : problems.join(', ')}`,
  );
}

main();
