'use strict';
// The JSON service, warm, for a number of batches under a profiler. Answers with the profile.
const { answer, programArguments } = require('../support/program.cjs');
const { profilers } = require('../profilers/index.cjs');

const { profiler: name, batches, warmup, interval, depth } = programArguments();

async function main() {
  const profiler = profilers[name].load();
  const serveBatch = require('../workloads/server.cjs');
  for (let i = 0; i < warmup; i++) await serveBatch();
  await profiler.start({ interval, depth });
  for (let i = 0; i < batches; i++) await serveBatch();
  const status = profiler.status?.();
  const profile = await profiler.read();
  answer({ profile: profile.toString('base64'), gives: profilers[name].gives, status });
}

main();
