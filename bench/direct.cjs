'use strict';
// Samples that memprof takes itself (`directSamples`) beside V8's, for three programs: what is lost, what it costs, the
// longest pause; what memprof's meter says of it, beside `perf`; a sample beside V8's own work for it, in one run in which
// both take each sample by turns; what a collection costs by the number of live samples; and how far the split of
// allocated bytes over functions is from that of a run with a hundred times as many samples.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { allocSites, distance, sharesByFunction } = require('./support/alloc-sites.cjs');
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { countSamples, perfCommand, perfProblem } = require('./support/perf.cjs');
const { median } = require('./support/statistics.cjs');

const options = readOptions(
  {
    rounds: 1,
    seconds: 60,
    others: 20, // seconds of the ways that are there to compare
    interval: 0, // 0: the default, which becomes coarser before it costs too much
    depth: 0, // 0: the default
    workloads: 'compiler,bundler,server',
    ways: 'direct,both,public',
    live: '1000,10000,100000',
    splits: 'server,compiler',
  },
  { seconds: 3, others: 3, workloads: 'server', live: '1000', splits: 'server' },
);
const { rounds, seconds, interval, depth } = options;
const FIXED_INTERVAL = 524288; // of the collections beside live samples
const list = (text) => text.split(',').filter((each) => each !== '');
const WORKLOADS = list(options.workloads);
const WAYS = list(options.ways);
const LIVE = list(options.live).map(Number);
// Without the optimising compilers, since what they inline, and so which function an allocation counts for, is never twice
// the same. The least distance that `interval` allows is a third to half of the target.
const SPLITS = {
  server: { warmup: 20, batches: 60, interval: 4096, target: 0.02 },
  compiler: { warmup: 1, batches: 1, interval: 8192, target: 0.03 },
};
const NO_OPTIMISING = ['--no-opt', '--no-maglev', '--no-sparkplug'];

const percent = (share, digits = 3) => `${(100 * share).toFixed(digits)} %`;
const of = (runs, figure) => median(runs.map(figure));

function target(what, limit, values, format) {
  const measured = values.length === 0 ? undefined : Math.max(...values);
  return {
    what,
    target: `<= ${format(limit)}`,
    measured: measured === undefined ? '' : format(measured),
    met: measured === undefined ? null : measured <= limit,
  };
}

/** Runs a program under `perf`, and adds `perf`'s account of it. */
async function runUnderPerf(args) {
  const file = path.join(os.tmpdir(), `memprof-direct-${process.pid}.perf`);
  try {
    const run = await runProgram('direct', args, { under: perfCommand(file) });
    const { from, to, thread } = run;
    const { all, ours } = await countSamples(file, thread, from.seconds, to.seconds);
    const perfShare = ours / all;
    const meterShare = (to.meteredNs - from.meteredNs) / (to.threadNs - from.threadNs);
    return { ...run, perf: { samples: all, ours, perfShare, meterShare } };
  } finally {
    fs.rmSync(file, { force: true });
  }
}

/** The distance of a split from that of a run with many more samples, and what sampling alone would make it. */
async function splitOf(workload) {
  const { warmup, batches, interval: wanted } = SPLITS[workload];
  const run = async (each, frames) => {
    const args = { profiler: 'memprof', workload, batches, warmup, interval: each, depth: frames };
    const env = { MEMPROF_DIRECT_SAMPLES: '1' };
    const answer = await runProgram('split', args, { flags: NO_OPTIMISING, env });
    const sites = allocSites(answer);
    return { ...answer.status.heap, sites, shares: sharesByFunction(sites) };
  };
  const truth = await run(Math.ceil(wanted / 100), 1);
  const measured = await run(wanted, 64);
  const bytes = truth.sites.reduce((sum, site) => sum + site.bytes, 0);
  let expected = 0;
  for (const share of truth.shares.values()) {
    expected += Math.sqrt(((2 / Math.PI) * share * (1 - share) * wanted) / bytes) / 2;
  }
  return {
    source: measured.source,
    functions: truth.shares.size,
    samples: measured.samplesSeen,
    imputed: measured.samplesImputed,
    distance: distance(truth.shares, measured.shares),
    expected,
  };
}

function targetsOf(results, collections, splits) {
  const targets = [];
  const count = (value) => String(value);
  for (const workload of WORKLOADS) {
    const { direct = [], both = [] } = results[workload];
    const figure = (read) => (direct.length === 0 ? [] : [of(direct, read)]);
    targets.push(
      target(
        `${workload}: samples lost`,
        0,
        direct.map((run) => run.lost),
        count,
      ),
      target(
        `${workload}: collections skipped`,
        0,
        direct.map((run) => run.skipped),
        count,
      ),
      target(
        `${workload}: longest pause`,
        2,
        figure((run) => run.longestPauseMs),
        (ms) => `${ms.toFixed(2)} ms`,
      ),
      target(
        `${workload}: overhead.reading`,
        0.001,
        figure((run) => run.overhead.reading),
        percent,
      ),
      target(
        `${workload}: overhead.total`,
        0.005,
        figure((run) => run.overhead.total),
        percent,
      ),
      target(
        `${workload}: bytes in cut stacks`,
        0.01,
        figure((run) => run.cutShare),
        percent,
      ),
    );
    const metered = direct.filter((run) => run.perf !== undefined);
    targets.push(
      target(
        `${workload}: the meter, off perf's account of the same run`,
        0.2,
        metered.map(({ perf }) => Math.abs(perf.meterShare / perf.perfShare - 1)),
        (off) => `${(100 * off).toFixed(0)} %`,
      ),
    );
    const timed = both.filter((run) => run.sampleNs !== undefined);
    targets.push(
      target(
        `${workload}: a sample, in V8's own work for it`,
        0.1,
        timed.length === 0
          ? []
          : [of(timed, (run) => run.sampleNs.own) / of(timed, (run) => run.sampleNs.v8)],
        (ratio) => `1/${(1 / ratio).toFixed(1)}`,
      ),
    );
  }
  const ofLive = (way, live) => collections.filter((each) => each.way === way && each.wanted === live);
  const [direct, inPublic] = ['direct', 'public'].map((way) => ofLive(way, LIVE[0]));
  const ms = (runs) => of(runs, (run) => run.msEach);
  if (direct.length !== 0 && inPublic.length !== 0) {
    targets.push(
      target(
        `a collection at ${LIVE[0]} live samples, in the public harvest`,
        1 / 40,
        [ms(direct) / ms(inPublic)],
        (r) => `1/${(1 / r).toFixed(1)}`,
      ),
    );
  }
  const most = ofLive('direct', LIVE.at(-1));
  if (LIVE.length > 1 && most.length !== 0) {
    targets.push(
      target(
        `a collection at ${LIVE.at(-1)} live samples, in one at ${LIVE[0]}`,
        2,
        [ms(most) / ms(direct)],
        (r) => r.toFixed(2),
      ),
    );
  }
  for (const [workload, { distance: far, imputed }] of Object.entries(splits)) {
    targets.push(
      target(`${workload}: distance of the split`, SPLITS[workload].target, [far], (each) => each.toFixed(3)),
      target(`${workload}: samples imputed in the split`, 0, [imputed], count),
    );
  }
  return targets;
}

/** Says what is missing before minutes are spent. */
function checkWorkloads() {
  try {
    if (WORKLOADS.includes('bundler')) require.resolve('webpack');
  } catch {
    console.error(
      'The bundler is missing: run "npm run bench:install", or give --workloads=compiler,server.',
    );
    process.exit(1);
  }
}

async function main() {
  checkWorkloads();
  const problem = perfProblem();
  if (problem !== undefined) console.log(`Nothing is compared with perf: ${problem}\n`);
  const results = Object.fromEntries(
    WORKLOADS.map((each) => [each, Object.fromEntries(WAYS.map((way) => [way, []]))]),
  );
  const collections = [];
  for (let round = 0; round < rounds; round++) {
    for (const workload of WORKLOADS) {
      for (const way of WAYS) {
        const args = { way, workload, seconds: way === 'direct' ? seconds : options.others, interval, depth };
        const withPerf = way === 'direct' && problem === undefined;
        const run = withPerf ? await runUnderPerf(args) : await runProgram('direct', args);
        results[workload][way].push(run);
        process.stderr.write(`${workload}, ${way}\n`);
      }
    }
    for (const wanted of LIVE) {
      // V8's way at one number only, to compare.
      for (const way of wanted === LIVE[0] ? ['direct', 'public'] : ['direct']) {
        const run = await runProgram('direct', {
          way,
          interval: interval || FIXED_INTERVAL,
          depth,
          live: wanted,
        });
        collections.push({ way, wanted, ...run });
      }
    }
  }
  const splits = {};
  for (const workload of list(options.splits)) splits[workload] = await splitOf(workload);
  for (const [workload, ways] of Object.entries(results)) {
    console.log(`\n${workload}, Node.js ${process.versions.node}, ${seconds} s, others ${options.others} s`);
    console.table(
      Object.fromEntries(
        Object.entries(ways).map(([way, runs]) => [
          way,
          {
            source: runs.map((run) => run.problem ?? run.source).join(', '),
            samples: of(runs, (run) => run.samples),
            lost: of(runs, (run) => run.lost),
            collections: of(runs, (run) => run.collections),
            skipped: of(runs, (run) => run.skipped),
            'ms a collection': of(runs, (run) => run.readMs).toFixed(3),
            'longest ms': of(runs, (run) => run.longestPauseMs).toFixed(2),
            'longest, wall': of(runs, (run) => run.longestPauseWallMs).toFixed(2),
            reading: percent(of(runs, (run) => run.overhead.reading)),
            sampling: percent(of(runs, (run) => run.overhead.sampling)),
            total: percent(of(runs, (run) => run.overhead.total)),
            'meter, perf': runs
              .filter((run) => run.perf !== undefined)
              .map(
                ({ perf }) => `${percent(perf.meterShare)} of CPU, ${percent(perf.perfShare)} (${perf.ours})`,
              )
              .join(', '),
            depth: of(runs, (run) => run.stackDepth),
            cut: percent(of(runs, (run) => run.cutShare)),
            'interval KiB, at last': of(runs, (run) => run.interval) / 1024,
            'table MiB': (of(runs, (run) => run.tableBytes) / 2 ** 20).toFixed(1),
            'table cuts': of(runs, (run) => run.tableCuts),
            'us a sample': runs
              .filter((run) => run.sampleNs !== undefined)
              .map(
                ({ sampleNs: { own, v8 } }) => `${(own / 1000).toFixed(2)} of V8's ${(v8 / 1000).toFixed(1)}`,
              )
              .join(', '),
          },
        ]),
      ),
    );
  }
  console.table(
    collections.map(({ wanted, ...rest }) => ({ ...rest, msEach: Number(rest.msEach.toFixed(3)) })),
  );
  console.table(splits);
  const targets = targetsOf(results, collections, splits);
  printTargets(targets);
  writeResults('direct', options, { results, collections, splits, targets });
}

main();
