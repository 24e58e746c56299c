'use strict';
// Runs a workload for some seconds while memprof takes samples, with the lines of their calls (`lines`) or without.
const memprof = require('../..');
const { answer, programArguments } = require('../support/program.cjs');

const { way, workload, seconds, interval, depth } = programArguments();

async function main() {
  const starting = performance.now();
  memprof.start({
    sampleInterval: interval || undefined,
    stackDepth: depth || undefined,
    directSamples: true,
    callSites: way === 'lines',
  });
  const startMs = performance.now() - starting;
  const run = require(`../workloads/${workload}.cjs`);
  const cpu = process.cpuUsage();
  const began = performance.now();
  let turns = 0;
  do {
    await run();
    turns++;
  } while (performance.now() - began < 1000 * seconds);
  const { user, system } = process.cpuUsage(cpu);
  const rss = process.memoryUsage.rss();
  // What is waiting for its lines is not counted before a reader asks for it.
  const before = memprof.status();
  memprof.readRecords(true);
  const { callSites } = memprof.status();
  answer({
    startMs,
    turns,
    programMs: (user + system) / 1000,
    rss,
    callSites,
    interval: before.heap.interval,
    overhead: before.overhead,
    longestPauseMs: before.heap.longestPauseNs / 1e6,
  });
}

main();
