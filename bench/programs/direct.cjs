'use strict';
// Runs a workload for some seconds, or collects garbage beside many live samples, while memprof takes the samples itself
// (`direct`), while V8 does (`public`), or while both take each one (`both`).
const fs = require('node:fs');
const memprof = require('../..');
const { native } = require('../../dist/addon/native.js');
const { median } = require('../support/statistics.cjs');
const { answer, programArguments } = require('../support/program.cjs');

const { way, workload, seconds, interval, depth, live } = programArguments();

function start(more) {
  memprof.start({
    ...(interval === 0 ? {} : { sampleInterval: interval }),
    ...(depth === 0 ? {} : { stackDepth: depth }),
    directSamples: way !== 'public',
    ...more,
  });
  native().compareAllSamples(way === 'both');
}

/** A part of a sample: the median of what was new to nobody, without the first five seconds. */
function sampleNs(times, from) {
  const later = times.slice(from);
  const of = (sign) => later.filter((ns) => ns * sign > 0).map((ns) => ns * sign);
  return of(1).length === 0 || of(-1).length === 0 ? undefined : { own: median(of(1)), v8: median(of(-1)) };
}

/** Where the bench reads the thread's samples of `perf`, and what the meter said of the same time. */
function moment() {
  const { harvestCpuNs, readCpuNs, directSampleNs, v8SampleNs, callSiteNs } = memprof.status().internal;
  return {
    seconds: Number(process.hrtime.bigint()) / 1e9,
    threadNs: Number(fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]),
    meteredNs: harvestCpuNs + readCpuNs + directSampleNs + v8SampleNs + callSiteNs,
  };
}

async function work() {
  start();
  const run = require(`../workloads/${workload}.cjs`);
  const cpu = process.cpuUsage();
  const from = process.platform === 'linux' ? moment() : undefined;
  const began = performance.now();
  let early;
  let turns = 0;
  for (; performance.now() - began < 1000 * seconds; turns++) {
    await run();
    if (early === undefined && performance.now() - began > 5000) early = native().sampleTimes().length;
  }
  const to = from && moment();
  const { user, system } = process.cpuUsage(cpu);
  const { heap, internal, overhead, tables } = memprof.status();
  const records = memprof.readRecords(true);
  const bytes = (which) => which.reduce((sum, record) => sum + record.allocBytes, 0);
  const isCut = (record) => record.stack().at(-1)?.functionName === '(truncated)';
  return {
    turns,
    from,
    to,
    thread: process.pid,
    programMs: (user + system) / 1000,
    problem: heap.sourceProblem ?? undefined,
    source: heap.source,
    samples: heap.samplesSeen + heap.samplesLost,
    lost: heap.samplesLost,
    skipped: heap.skippedCollections,
    collections: memprof.readMemStats().numGC,
    readMs: internal.harvestCpuNs / heap.harvests / 1e6,
    longestPauseMs: heap.longestPauseNs / 1e6,
    longestPauseWallMs: internal.longestPauseWallNs / 1e6,
    overhead,
    cutShare: bytes(records.filter(isCut)) / bytes(records),
    interval: heap.interval,
    stackDepth: heap.stackDepth,
    tableBytes: tables.usedBytes,
    tableCuts: tables.cutStacks + tables.overflowSamples,
    compared: internal.stacksCompared,
    sampleNs: sampleNs(Array.from(native().sampleTimes()), early ?? 0),
  };
}

// Each path through this tree of calls has a number, whose bits choose the functions.
function left(level, path, keep) {
  return level === 0
    ? allocate(keep)
    : (path >> level) & 1
      ? left(level - 1, path, keep)
      : right(level - 1, path, keep);
}
function right(level, path, keep) {
  return level === 0
    ? allocate(keep)
    : (path >> level) & 1
      ? left(level - 1, path, keep)
      : right(level - 1, path, keep);
}
function allocate(keep) {
  keep.push(new Array(500).fill(keep.length));
}

const LEVELS = 16;
const KEPT_BYTES = 8 * 500;
const GARBAGE_BYTES = 512 * 2 ** 20;

/** What a collection costs beside `live` live samples. */
function collect() {
  start({ maxOverhead: 1, maxPause: 1000 });
  // V8's sampler cannot change its interval while it runs.
  const finer = way === 'public' ? interval : Math.max(4096, Math.floor((400 * 2 ** 20) / live));
  const keep = [];
  const turn = (count) => {
    for (let i = 0; i < count; i++) left(LEVELS, Math.floor(Math.random() * 2 ** (LEVELS + 1)), keep);
  };
  turn(64 * Math.ceil(interval / KEPT_BYTES));
  if (finer !== interval) memprof.setSampleInterval(finer);
  while (memprof.status().heap.samplesLive < live) turn(Math.ceil((live * finer) / KEPT_BYTES / 50));
  if (finer !== interval) memprof.setSampleInterval(interval);
  // V8 allocates among old objects where most objects have lived long, so garbage comes from another place.
  let garbage = [];
  const spend = () => {
    for (let done = 0; done < GARBAGE_BYTES; done += KEPT_BYTES)
      garbage = new Array(500).fill(garbage.length);
  };
  spend();
  const before = memprof.status();
  spend();
  const after = memprof.status();
  return {
    live: before.heap.samplesLive,
    nodes: after.internal.treeNodes,
    source: after.heap.source,
    collections: after.heap.harvests - before.heap.harvests,
    msEach:
      (after.internal.harvestCpuNs - before.internal.harvestCpuNs) /
      (after.heap.harvests - before.heap.harvests) /
      1e6,
  };
}

async function main() {
  answer(live === undefined ? await work() : collect());
}

main();
