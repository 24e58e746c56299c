'use strict';
// Compares what memprof has in use, right after a forced collection, with V8's own samples, bucket by bucket. Arguments:
// maxOverhead, sampleInterval, rounds, calls a round, "worker" to do it in one, "skips" to use up the budget
// first.
const inspector = require('node:inspector');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const args = isMainThread ? process.argv.slice(2) : workerData;
const [maxOverhead, sampleInterval, rounds, calls] = args.map(Number);

// Eight to a power of two, as in native/tables/profile_tables.cc: known from outside by its promise alone, that classes are at
// most 12.5 % wide.
function sizeClass(size) {
  if (size < 16) return size;
  const power = 31 - Math.clz32(size);
  return power * 8 + ((size >> (power - 3)) & 7);
}

// By function names alone: V8 forgets the place of a frame when its script is collected, memprof does not.
// Text of the bucket -> objects, and the least and the most bytes they can have. The inspector shows no sizes, but size
// times the rounded number of objects that V8 takes the sample to stand for. At interval 1 that is the size; at others
// several sizes come out the same, and stacks are compared instead of buckets.
function add(buckets, frames, size, objects, low, high) {
  const key = sampleInterval === 1 ? `${sizeClass(size)} ${frames}` : frames;
  const sum = buckets.get(key) ?? { objects: 0, low: 0, high: 0 };
  buckets.set(key, { objects: sum.objects + objects, low: sum.low + low, high: sum.high + high });
}

const sizesOf = new Map();
for (let size = 8; size <= 1 << 20; size += 8) {
  const scaled = size * Math.floor(1 / (1 - Math.exp(-size / sampleInterval)) + 0.5);
  const known = sizesOf.get(scaled);
  if (known === undefined) sizesOf.set(scaled, [size, size]);
  else known[1] = size;
}

function v8Buckets(profile, lastOrdinal) {
  const stacks = new Map();
  const walk = (node, outer) => {
    const frame = node.callFrame.functionName || '(anonymous)';
    const frames = outer === '' ? frame : `${frame} < ${outer}`;
    stacks.set(node.id, frames);
    for (const child of node.children) walk(child, frames);
  };
  for (const child of profile.head.children) walk(child, '');
  const buckets = new Map();
  let later = 0;
  for (const { nodeId, size: scaled, ordinal } of profile.samples) {
    // A sample taken after the collection, by this comparison itself: memprof shows it after the next one.
    if (ordinal > lastOrdinal) {
      later++;
      continue;
    }
    const [low, high] = sizesOf.get(scaled) ?? [scaled, scaled];
    add(buckets, stacks.get(nodeId) ?? '(unknown)', low, 1, low, high);
  }
  return { buckets, later };
}

/** What V8 calls a function that memprof names by its place, or as a builtin. */
function nameInV8(name) {
  const builtin = /^\(builtin (.*)\)$/s.exec(name);
  if (builtin !== null) return builtin[1];
  return /^\((anonymous|module|eval)\b.*\)$/s.test(name) ? '(anonymous)' : name;
}

function memprofBuckets() {
  const buckets = new Map();
  for (const record of memprof.readRecords(false)) {
    const frames = record.stack().map((frame) => nameInV8(frame.functionName));
    const [objects, bytes] = [record.inUseObjects(), record.inUseBytes()];
    add(buckets, frames.join(' < '), Math.floor(bytes / objects), objects, bytes, bytes);
  }
  return buckets;
}

function same(ours, theirs) {
  if (ours === undefined || theirs === undefined) return false;
  return ours.objects === theirs.objects && theirs.low <= ours.low && ours.low <= theirs.high;
}

// Many functions, so that V8's tree is large and reading it is dear; some of what they make lives on.
const makers = Array.from(
  { length: 400 },
  (_, i) =>
    new Function(
      'kept',
      `return function maker${i}(n) {
    const made = [];
    for (let i = 0; i < n; i++) made.push({ i, text: 'x' + i, more: [i, i, i] });
    if (n % 7 === 0) kept.push(made);
    return made.length;
  }`,
    ),
);
let kept = [];
const functions = makers.map((make) => make({ push: (each) => kept.push(each) }));

function churn(seed) {
  let sum = 0;
  for (let i = 0; i < calls; i++) sum += functions[(i * 7 + seed) % functions.length](20 + ((i + seed) % 50));
  return sum;
}

async function getProfile(session) {
  return new Promise((resolve, reject) =>
    session.post('HeapProfiler.getSamplingProfile', (error, result) =>
      error ? reject(error) : resolve(result.profile),
    ),
  );
}

async function main() {
  const session = new inspector.Session();
  session.connect();
  memprof.start({ maxOverhead, sampleInterval });
  const differences = [];
  // Forced collections are always harvested, whatever is left of the budget: soon there is none left for others.
  churn(0);
  for (let i = 0; i < 500 && args[5] === 'skips' && memprof.status().internal.harvestCpuNs < 150e6; i++) gc();
  let compared = 0;
  let smallest = Infinity;
  let later = 0;
  let samples = 0;
  for (let round = 0; round < rounds; round++) {
    churn(round);
    if (round % 3 === 2) kept = kept.slice(kept.length >> 1);
    gc();
    // The highest id V8 had given out at that collection: ids rise by one for each sample, seen by memprof or lost.
    const before = memprof.status().heap;
    const lastOrdinal = before.samplesSeen + before.samplesLost;
    const { numGC } = memprof.readMemStats();
    const profile = await getProfile(session);
    const ours = memprofBuckets();
    // The comparison needs memory, too: a collection meanwhile would make it one of two moments.
    if (memprof.readMemStats().numGC !== numGC) continue;
    compared++;
    const theirs = v8Buckets(profile, lastOrdinal);
    later += theirs.later;
    samples += profile.samples.length;
    for (const key of new Set([...ours.keys(), ...theirs.buckets.keys()])) {
      const [a, b] = [ours.get(key), theirs.buckets.get(key)];
      if (!same(a, b) && differences.length < 10) differences.push({ round, key, memprof: a, v8: b });
    }
    smallest = Math.min(smallest, ours.size);
  }
  memprof.stop();
  report({ compared, differences, smallest, later, samples });
}

if (isMainThread && args[4] === 'worker') new Worker(__filename, { workerData: args });
else main();
