'use strict';
// Builds a heap of live objects under a profiler and reads a profile once. Everything is warm: small profiles were read
// before. Then, for memprof, reads its records alone.
const { answer, programArguments } = require('../support/program.cjs');
const { median, random } = require('../support/statistics.cjs');
const { profilers } = require('../profilers/index.cjs');

const { profiler: name, samples, buckets, interval, depth, seed } = programArguments();
const WARM_UPS = 10;
const READS = 21;

// How long the calling thread was busy is the time its event loop was not idle. Nothing else goes on meanwhile.
async function timed(read) {
  await new Promise(setImmediate);
  const { eventLoopUtilization } = performance;
  const before = eventLoopUtilization();
  const began = performance.now();
  const profile = await read();
  const totalMs = performance.now() - began;
  await new Promise(setImmediate);
  return { totalMs, blockedMs: eventLoopUtilization(before).active, bytes: profile.length };
}

/** Milliseconds of a call, over calls. */
function timesOf(call) {
  return Array.from({ length: READS }, () => {
    const began = performance.now();
    call();
    return performance.now() - began;
  });
}

async function main() {
  const profiler = profilers[name].load();
  const retain = require('../workloads/retained-heap.cjs');
  await profiler.start({ interval, depth });
  const next = random(seed);
  const held = [retain(20 * interval, next)];
  for (let i = 0; i < WARM_UPS; i++) {
    held.push(retain(interval, next));
    await profiler.read();
    if (profilers[name].stopsAtRead) await profiler.start({ interval, depth });
  }
  held.push(retain(samples * interval, next));
  const result = await timed(() => profiler.read());
  if (name === 'memprof') {
    const { memprof } = profiler;
    // Not every sample has a bucket of its own: on to so many buckets. They show after a collection.
    while (memprof.MemProfile(null, true).n < buckets) {
      held.push(retain(200 * interval, next));
      gc();
    }
    const records = new Array(memprof.MemProfile(null, true).n + 50);
    result.memProfileMs = median(timesOf(() => memprof.MemProfile(records, true)));
    result.records = memprof.MemProfile(null, true).n;
    result.samplesLive = memprof.status().heap.samplesLive;
  }
  answer({ ...result, heldArrays: held.length, heapBytes: process.memoryUsage().heapUsed });
}

main();
