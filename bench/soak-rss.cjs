'use strict';
// Does memory grow while a program allocates and allocates under the profiler? Prints, as JSON, the resident set and
// memprof's own bytes at every twentieth of the way, and by how much they rise from a tenth of the way to the end. Exits
// with 1 when the resident set rises by more than 5 MiB (median over the runs), or memprof's own bytes do not stay flat.
// The same program without memprof is run once beside them: V8's own heap still grows over the first tens of gigabytes.
// usage: node bench/soak-rss.cjs [GIGABYTES=200] [RUNS=5]
const { execFileSync } = require('node:child_process');
const v8 = require('node:v8');
const vm = require('node:vm');
const { median, rise } = require('./support/statistics.cjs');
const makeWork = require('./workloads/steady-garbage.cjs');

const MIB = 1024 * 1024;
const MOST_RISE = 5 * MIB;
const MOST_OWN_RISE = MIB;
const STEPS = 20;

function allocate(gigabytes, profiled) {
  v8.setFlagsFromString('--expose-gc');
  const collectGarbage = vm.runInNewContext('gc');
  const memprof = require('..');
  if (profiled) memprof.start();
  const begin = memprof.readMemStats().totalAlloc;
  const work = makeWork();
  const steps = [];
  for (let step = 1; step <= STEPS; step++) {
    while (memprof.readMemStats().totalAlloc - begin < (step / STEPS) * gigabytes * 1e9) {
      for (let i = 0; i < 20; i++) work();
    }
    // The old generation fills up between two major collections: each step is measured at the same point of that.
    collectGarbage();
    collectGarbage();
    const status = memprof.status();
    steps.push({
      rss: process.memoryUsage.rss(),
      own: status.tables.committedBytes + status.internal.isolateBytes,
    });
  }
  const { heap, overhead } = memprof.status();
  const { samplesSeen, samplesLost } = heap;
  console.log(JSON.stringify({ steps, samplesSeen, samplesLost, overhead: overhead.total }));
}

function measure(gigabytes, way) {
  const output = execFileSync(process.execPath, [__filename, way, String(gigabytes)], { encoding: 'utf8' });
  const { steps, ...more } = JSON.parse(output);
  const late = steps.slice(STEPS / 10);
  return {
    rssRise: rise(late.map((step) => step.rss)),
    ownRise: late.at(-1).own - late[0].own,
    rss: steps.map((step) => step.rss),
    own: steps.map((step) => step.own),
    ...more,
  };
}

function main(gigabytes, runs) {
  const results = Array.from({ length: runs }, () => measure(gigabytes, 'profiled'));
  const { rssRise: rssRiseWithout } = measure(gigabytes, 'without');
  const rssRise = median(results.map((result) => result.rssRise));
  const ownRise = median(results.map((result) => result.ownRise));
  const ok = rssRise <= MOST_RISE && ownRise <= MOST_OWN_RISE;
  console.log(
    JSON.stringify({
      gigabytes,
      runs: results,
      rssRise,
      rssRiseWithout,
      mostRise: MOST_RISE,
      ownRise,
      mostOwnRise: MOST_OWN_RISE,
      ok,
    }),
  );
  process.exitCode = ok ? 0 : 1;
}

const args = process.argv.slice(2);
if (args[0] === 'profiled' || args[0] === 'without') allocate(Number(args[1]), args[0] === 'profiled');
else main(Number(args[0] ?? 200), Number(args[1] ?? 5));
