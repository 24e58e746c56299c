'use strict';
// Runs a workload under a profiler, for a number of batches or of seconds, and says what CPU time the process took.
const { answer, programArguments } = require('../support/program.cjs');
const { profilers } = require('../profilers/index.cjs');

const { profiler: name, workload, batches, seconds, interval, depth } = programArguments();

async function main() {
  const profiler = profilers[name].load();
  await profiler.start({ interval, depth });
  const runBatch = require(`../workloads/${workload}.cjs`);
  const end = performance.now() + 1000 * seconds;
  for (let i = 0; seconds > 0 ? performance.now() < end : i < batches; i++) await runBatch();
  const { user, system } = process.cpuUsage();
  answer({ cpuMs: (user + system) / 1000, wallMs: performance.now(), status: profiler.status?.() });
}

main();
