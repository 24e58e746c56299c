'use strict';
// What heap sampling costs a real program: whole processes, run again and again in random order without a profiler, without
// one again (A/A: the noise of this machine), under memprof and under each peer; CPU time, and latency where there is a
// server. A figure is the median over rounds of the ratio to the run without a profiler of the same round, with a 95 %
// bootstrap interval. Profiles are not read meanwhile: `snapshot` measures that.
// Then memprof's own thread-CPU meter, in longer runs of each program.
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { bootstrapMedian, median, random, shuffled } = require('./support/statistics.cjs');
const { titleOf, usable } = require('./profilers/index.cjs');

const options = readOptions(
  {
    rounds: 15,
    interval: 524288,
    depth: 64,
    requests: 40_000,
    batches: 3,
    seconds: 60,
    workloads: 'compiler,bundler,server',
  },
  { rounds: 1, requests: 200, batches: 1, seconds: 0.5, workloads: 'server' },
);
const { rounds, interval, depth, requests, batches, seconds } = options;

const DESCRIPTIONS = {
  compiler: 'TypeScript compiler, type-checking memprof',
  bundler: 'webpack, bundling lodash-es and date-fns',
  server: 'Fastify over HTTP, driven by autocannon',
};
const WORKLOADS = options.workloads.split(',');
const CONNECTIONS = 10;
const NAMES = [
  'none',
  'none-again',
  'memprof',
  'datadog',
  'datadog-alloc',
  'google',
  'inspector',
  'v8-alloc',
];
const METER_TARGET = 0.005;
const HARVEST_TARGET = 1.1; // the tables' part: known stacks
const CPU_TARGET = 1.03;
const MAX_PAUSE_MS = 20; // memprof's default

async function runServer(profiler, size) {
  let latency;
  const end = await runProgram(
    'server',
    { profiler, interval, depth },
    {
      async onMessage({ port }, child) {
        if (port === undefined) return;
        try {
          latency = await runProgram('load', { port, connections: CONNECTIONS, ...size });
          child.send('end');
        } catch (error) {
          console.error(error.message);
          child.kill();
        }
      },
    },
  );
  return { ...end, latency };
}

function runOnce(workload, profiler) {
  if (workload === 'server') return runServer(profiler, { amount: requests });
  return runProgram('work', { profiler, workload, batches, interval, depth });
}

/** Ratios to `none` of the same round, of what `figure` takes from a run. */
function ratios(runs, name, figure) {
  return bootstrapMedian(runs[name].map((run, round) => figure(run) / figure(runs.none[round])));
}

const cpu = (run) => run.cpuMs;
const p99 = (run) => run.latency.p99;
const percent = (share) => `${(100 * share).toFixed(2)} %`;
const ratioText = ({ median, low, high }) => `${median.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`;

async function compare(names) {
  const next = random(Date.now());
  const runs = Object.fromEntries(
    WORKLOADS.map((workload) => [workload, Object.fromEntries(names.map((name) => [name, []]))]),
  );
  for (let round = 0; round < rounds; round++) {
    for (const workload of WORKLOADS) {
      for (const name of shuffled(names, next)) runs[workload][name].push(await runOnce(workload, name));
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  const comparisons = [];
  for (const workload of WORKLOADS) {
    for (const name of names) {
      const own = runs[workload][name];
      const row = { workload, what: DESCRIPTIONS[workload], profiler: name, cpuMs: median(own.map(cpu)) };
      if (name !== 'none') row.cpuRatio = ratios(runs[workload], name, cpu);
      if (workload === 'server') {
        row.p99Ms = median(own.map(p99));
        row.p999Ms = median(own.map((run) => run.latency.p999));
        row.maxMs = median(own.map((run) => run.latency.max));
        if (name !== 'none') row.p99Ratio = ratios(runs[workload], name, p99);
      }
      comparisons.push({ ...row, runs: own.map(({ status, ...run }) => run) });
    }
  }
  return comparisons;
}

/** memprof's own figures of longer runs. */
async function readMeters() {
  const meters = [];
  for (const workload of WORKLOADS) {
    const { cpuMs, wallMs, status } =
      workload === 'server'
        ? await runServer('memprof', { amount: requests, seconds })
        : await runProgram('work', { profiler: 'memprof', workload, seconds, interval, depth });
    const ownMs = (status.internal.harvestCpuNs + status.internal.readCpuNs) / 1e6;
    meters.push({
      workload,
      seconds: wallMs / 1000,
      cpuMs,
      ownMs,
      translateMs: status.internal.translateCpuNs / 1e6,
      share: ownMs / cpuMs,
      harvests: status.heap.harvests,
      skippedGCs: status.heap.skippedCollections,
      longestPauseMs: status.heap.longestPauseNs / 1e6,
      samplesSeen: status.heap.samplesSeen,
      samplesLost: status.heap.samplesLost,
    });
    process.stderr.write(`meter of ${workload}\n`);
  }
  return meters;
}

function judge(comparisons, meters) {
  const targets = [];
  for (const { workload, share, ownMs, translateMs } of meters) {
    targets.push({
      what: `memprof's own meter, ${workload}`,
      target: `≤ ${percent(METER_TARGET)} of CPU`,
      measured: percent(share),
      met: share <= METER_TARGET,
    });
    targets.push({
      what: `whole harvests in V8's own part of them, ${workload}`,
      target: `≤ ${HARVEST_TARGET}`,
      measured: (ownMs / translateMs).toFixed(3),
      met: ownMs / translateMs <= HARVEST_TARGET,
    });
  }
  for (const workload of WORKLOADS) {
    const of = (name) => comparisons.find((row) => row.workload === workload && row.profiler === name);
    const own = of('memprof').cpuRatio;
    targets.push({
      what: `CPU, ${workload}, upper bound`,
      target: `≤ ${CPU_TARGET} × none`,
      measured: own.high.toFixed(3),
      met: own.high <= CPU_TARGET,
    });
    const noise = of('none-again').cpuRatio;
    const band = Math.max(Math.abs(noise.high - 1), Math.abs(noise.low - 1));
    const peer = of('datadog')?.cpuRatio;
    targets.push({
      what: `CPU, ${workload}, beside @datadog/pprof in-use`,
      target: `no more than ${peer?.median.toFixed(3)} + A/A ${band.toFixed(3)}`,
      measured: own.median.toFixed(3),
      met: peer === undefined ? null : own.median <= peer.median + band,
    });
    if (workload === 'server') {
      const { low, high } = of('none-again').p99Ratio;
      const { median: ratio } = of('memprof').p99Ratio;
      targets.push({
        what: 'p99 latency of the server',
        target: `in the A/A band ${low.toFixed(3)} … ${high.toFixed(3)}, or below`,
        measured: ratio.toFixed(3),
        met: ratio <= high,
      });
    }
  }
  const longest = Math.max(...meters.map((each) => each.longestPauseMs));
  targets.push({
    what: 'longest pause added',
    target: `≤ maxPause, ${MAX_PAUSE_MS} ms`,
    measured: `${longest.toFixed(1)} ms`,
    met: longest <= MAX_PAUSE_MS,
  });
  return targets;
}

async function main() {
  const { found, missing } = usable(NAMES);
  const comparisons = await compare(found);
  const meters = await readMeters();
  const targets = judge(comparisons, meters);
  console.table(
    comparisons.map((row) => ({
      workload: row.workload,
      profiler: titleOf(row.profiler),
      'CPU ms': Math.round(row.cpuMs),
      'CPU / none': row.cpuRatio ? ratioText(row.cpuRatio) : '1',
      'p99 ms': row.p99Ms?.toFixed(2) ?? '',
      'p99 / none': row.p99Ratio ? ratioText(row.p99Ratio) : '',
    })),
  );
  console.table(
    meters.map(({ share, cpuMs, ownMs, translateMs, longestPauseMs, seconds, ...rest }) => ({
      ...rest,
      seconds: seconds.toFixed(1),
      'own CPU ms': ownMs.toFixed(1),
      'of it V8': translateMs.toFixed(1),
      share: percent(share),
      'longest pause ms': longestPauseMs.toFixed(1),
    })),
  );
  printTargets(targets);
  writeResults('overhead', options, { missing, comparisons, meters, targets });
}

main();
