'use strict';
// Loads a profiler and starts it, in a process that has done nothing yet.
const { answer, programArguments } = require('../support/program.cjs');

const { module: name, profiler, interval, depth } = programArguments();

async function main() {
  const began = performance.now();
  require(name);
  const loaded = performance.now();
  // The adapter's own file is not what is measured.
  const { profilers } = require('../profilers/index.cjs');
  const before = performance.now();
  await profilers[profiler].load().start({ interval, depth });
  answer({ requireMs: loaded - began, startMs: performance.now() - before });
}

main();
