'use strict';
// Does the same work over and over under a profiler and says how large the process is at every step of the way.
const v8 = require('node:v8');
const vm = require('node:vm');
const { answer, programArguments } = require('../support/program.cjs');
const { profilers } = require('../profilers/index.cjs');
const makeWork = require('../workloads/steady-garbage.cjs');

const { profiler: name, turns, steps, reading, interval, depth } = programArguments();

async function main() {
  v8.setFlagsFromString('--expose-gc');
  const collectGarbage = vm.runInNewContext('gc');
  const profiler = profilers[name].load();
  await profiler.start({ interval, depth });
  const work = makeWork();
  const rss = [];
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < turns / steps; i++) work();
    if (reading) await profiler.read();
    // The old generation fills up between two major collections: each step is measured at the same point of that.
    collectGarbage();
    collectGarbage();
    rss.push(process.memoryUsage.rss());
  }
  const began = performance.now();
  const profile = await profiler.read();
  const status = profiler.status?.();
  answer({
    rss,
    readMs: performance.now() - began,
    profileBytes: profile.length,
    own: status && status.tables.committedBytes + status.internal.isolateBytes,
    seconds: began / 1000,
  });
}

main();
