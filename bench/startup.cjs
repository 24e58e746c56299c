'use strict';
// What loading a profiler and starting it takes, each time in a fresh process, in random order.
const path = require('node:path');
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { bootstrapMedian, random, shuffled } = require('./support/statistics.cjs');
const { titleOf, usable } = require('./profilers/index.cjs');

const options = readOptions({ runs: 31, interval: 524288, depth: 64 }, { runs: 3 });
const { runs, interval, depth } = options;
const MODULES = {
  memprof: path.join(__dirname, '..'),
  datadog: '@datadog/pprof',
  'datadog-alloc': '@datadog/pprof',
  google: 'pprof',
  inspector: 'node:inspector',
  'v8-alloc': 'node:v8',
};
const TARGET = 1 / 5;

async function main() {
  const { found, missing } = usable(Object.keys(MODULES));
  const next = random(Date.now());
  const measured = Object.fromEntries(found.map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const profiler of shuffled(found, next)) {
      const args = { module: MODULES[profiler], profiler, interval, depth };
      measured[profiler].push(await runProgram('startup', args));
    }
  }
  const rows = found.map((profiler) => ({
    profiler,
    requireMs: bootstrapMedian(measured[profiler].map((each) => each.requireMs)),
    startMs: bootstrapMedian(measured[profiler].map((each) => each.startMs)),
    bothMs: bootstrapMedian(measured[profiler].map((each) => each.requireMs + each.startMs)),
  }));
  const of = (name) => rows.find((row) => row.profiler === name);
  const targets = [];
  if (of('datadog')) {
    const ratio = bootstrapMedian(
      measured.memprof.map((each, run) => each.requireMs / measured.datadog[run].requireMs),
    );
    targets.push({
      what: "require('memprof') beside require('@datadog/pprof')",
      target: `≤ ${TARGET}`,
      measured: `${ratio.median.toFixed(3)} (${ratio.low.toFixed(3)} … ${ratio.high.toFixed(3)})`,
      met: ratio.median <= TARGET,
    });
  }
  const shown = ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;
  console.table(
    rows.map((row) => ({
      profiler: titleOf(row.profiler),
      'require ms': shown(row.requireMs),
      'start ms': shown(row.startMs),
      'both ms': shown(row.bothMs),
    })),
  );
  printTargets(targets);
  writeResults('startup', options, { missing, rows, targets });
}

main();
