'use strict';
// Compares every stack that memprof takes itself (`directSamples`) with V8's of the same sample, frame by frame, in the
// three programs. Exits with 1 when one is different.
const { readOptions, runProgram } = require('./support/command.cjs');

const options = readOptions(
  { stacks: 100_000, interval: 16_384, depth: 64, workloads: 'compiler,bundler,server' },
  { stacks: 2000, workloads: 'server' },
);

async function main() {
  const rows = {};
  for (const workload of options.workloads.split(',')) {
    const { stacks, interval, depth } = options;
    const { problem, ...run } = await runProgram('stacks', { workload, stacks, interval, depth });
    const equal = problem === null && run.source === 'direct' && run.directSamples === run.v8Samples;
    if (!equal) process.exitCode = 1;
    rows[workload] = {
      'stacks equal': run.stacksCompared,
      'asked of V8': run.stacksAskedOfV8,
      'frames each': Number(run.framesEach.toFixed(1)),
      turns: run.turns,
      different:
        problem ?? (equal ? 'none' : `${run.source}, ${run.v8Samples} of ${run.directSamples} by V8`),
    };
  }
  console.log(`Node.js ${process.versions.node}, a sample every ${options.interval} bytes`);
  console.table(rows);
}

main();
