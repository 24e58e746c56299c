'use strict';
// Do harvests keep to 100 ms + maxOverhead x wall time? By the profiler's own thread-CPU meter, and from outside, by
// perf: its samples with DoHarvest on their stack. Exits with 1 when a run exceeds its budget, or when the two disagree.
// usage: node bench/overhead-budget.cjs [SECONDS=60]
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const SECONDS = Number(process.argv[2] ?? 60);
const INTERVAL = 64 * 1024;
const FREQUENCY = 2999; // samples a second; none of a timer's round numbers
const CAPACITY_NS = 100e6;

const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-overhead-'));
const data = path.join(temp, 'perf.data');

function perfWorks() {
  const { error, status, stderr } = spawnSync('perf', ['record', '-g', '-o', data, '--', 'true'], {
    encoding: 'utf8',
  });
  if (error) return 'perf is not installed (Debian: linux-perf)';
  return status === 0 ? undefined : `perf cannot record here: ${stderr.trim().split('\n')[0]}`;
}

/** CPU nanoseconds of the samples that have the function on their stack, and of all. */
function readPerf() {
  const script = execFileSync('perf', ['script', '-i', data, '-F', 'period,ip,sym'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let harvest = 0;
  let all = 0;
  for (const sample of script.split('\n\n')) {
    const period = Number(/^\s*(\d+)/.exec(sample)?.[1] ?? 0);
    all += period;
    // A harvest that a reader asks for has no collection above it, but there are none here.
    if (sample.includes('IsolateSampler::DoHarvest')) harvest += period;
  }
  return { harvest, all };
}

function measure(workload, maxOverhead, withPerf) {
  const child = path.join(__dirname, 'support', 'run-workload.cjs');
  const command = [process.execPath, child, workload, String(SECONDS), String(maxOverhead), String(INTERVAL)];
  // cpu-clock counts nanoseconds, on every machine; V8 keeps frame pointers.
  const perf = [
    'perf',
    'record',
    '-q',
    '-e',
    'cpu-clock:u',
    '-F',
    String(FREQUENCY),
    '--call-graph',
    'fp',
    '-o',
    data,
    '--',
  ];
  const [program, ...args] = withPerf ? [...perf, ...command] : command;
  const output = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const status = JSON.parse(output.trim().split('\n').pop());
  const budget = CAPACITY_NS + maxOverhead * status.internal.runningNs;
  return { status, budget, outside: withPerf ? readPerf() : undefined };
}

const ms = (ns) => Number((ns / 1e6).toFixed(1));

function main() {
  const missing = perfWorks();
  if (missing !== undefined) console.log(`No figures from outside: ${missing}.`);
  const rows = [];
  let failed = 0;
  for (const workload of ['compiler', 'server']) {
    for (const maxOverhead of [0.005, 0.001]) {
      const { status, budget, outside } = measure(workload, maxOverhead, missing === undefined);
      // What the last harvest before a moment cost more than predicted is a debt: at most one harvest.
      const within = status.internal.harvestCpuNs <= budget + status.heap.longestPauseNs;
      // From outside, a sampling has noise of its own, and user time alone is seen.
      const samples = outside === undefined ? 0 : (outside.harvest / 1e9) * FREQUENCY;
      const noise = outside === undefined ? 0 : (4 * outside.harvest) / Math.sqrt(Math.max(1, samples));
      const agrees =
        outside === undefined ||
        Math.abs(outside.harvest - status.internal.harvestCpuNs) <=
          noise + 0.25 * status.internal.harvestCpuNs;
      if (!within || !agrees) failed++;
      rows.push({
        workload,
        maxOverhead,
        seconds: Number((status.internal.runningNs / 1e9).toFixed(1)),
        harvests: status.heap.harvests,
        skipped: status.heap.skippedCollections,
        'harvests ms': ms(status.internal.harvestCpuNs),
        'allowed ms': ms(budget),
        'longest ms': ms(status.heap.longestPauseNs),
        'perf ms': outside === undefined ? '-' : ms(outside.harvest),
        'perf, all ms': outside === undefined ? '-' : ms(outside.all),
        'process ms': ms(status.processCpuNs),
        within,
        agrees: outside === undefined ? '-' : agrees,
      });
    }
  }
  console.table(rows);
  fs.rmSync(temp, { recursive: true });
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
