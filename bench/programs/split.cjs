'use strict';
// The JSON service or another workload, warm, for a number of batches under a profiler. Answers with the profile.
const { answer, programArguments } = require('../support/program.cjs');
const { profilers } = require('../profilers/index.cjs');
const { Session } = require('node:inspector');

const { profiler: name, workload = 'server', batches, warmup, interval, depth } = programArguments();

async function main() {
  const profiler = profilers[name].load();
  const runBatch = require(`../workloads/${workload}.cjs`);
  // V8 makes the line table of a script, on the heap, when a profile with it is first read: not in what is compared.
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.startSampling', { samplingInterval: 1024 });
  for (let i = 0; i < warmup; i++) await runBatch();
  session.post('HeapProfiler.stopSampling');
  session.disconnect();
  await profiler.start({ interval, depth });
  for (let i = 0; i < batches; i++) await runBatch();
  const profile = await profiler.read();
  answer({ profile: profile.toString('base64'), gives: profilers[name].gives, status: profiler.status?.() });
}

main();
