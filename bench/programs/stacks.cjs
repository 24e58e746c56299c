'use strict';
// Runs a workload while both memprof and V8 take each sample, until memprof has found so many of its stacks equal to V8's:
// functions, files and lines of every frame. Ends at the first difference.
const memprof = require('../..');
const { native } = require('../../dist/addon/native.js');
const { answer, programArguments } = require('../support/program.cjs');

const { workload, stacks, interval, depth } = programArguments();

async function main() {
  memprof.start({ sampleInterval: interval, stackDepth: depth, directSamples: true, maxOverhead: 1 });
  native().compareAllSamples(true);
  const run = require(`../workloads/${workload}.cjs`);
  const state = () => {
    const { heap, internal } = memprof.status();
    return { problem: heap.sourceProblem, source: heap.source, ...internal };
  };
  let turns = 0;
  for (; state().source === 'direct' && state().stacksCompared < stacks; turns++) await run();
  const { problem, source, stacksCompared, stacksAskedOfV8, directSamples, v8Samples } = state();
  // Each node of a record's stack is a frame that was compared.
  let [samples, frames] = [0, 0];
  for (const record of memprof.readRecords(true)) {
    samples += record.allocObjects;
    frames += record.allocObjects * record.stack().length;
  }
  const framesEach = frames / samples;
  answer({ problem, source, stacksCompared, stacksAskedOfV8, directSamples, v8Samples, framesEach, turns });
}

main();
