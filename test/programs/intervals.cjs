'use strict';
// Changes the sample interval ten times while two functions allocate, one of them twice as much as the other.
// usage: intervals.cjs
const memprof = require('../../dist');

const sink = { last: undefined };

const BYTES = 128; // three words that each object has, and 13 properties

/**
 * An instance takes the same bytes whatever compiled the code that makes it. An array would not: until that code is
 * optimised, V8 puts a note of two words (AllocationMemento) behind each array and each literal.
 */
class Made {
  a = 1;
  b = 2;
  c = 3;
  d = 4;
  e = 5;
  f = 6;
  g = 7;
  h = 8;
  i = 9;
  j = 10;
  k = 11;
  l = 12;
  m = 13;
}

function one(n) {
  for (let i = 0; i < n; i++) sink.last = new Made();
}
function two(n) {
  for (let i = 0; i < 2 * n; i++) sink.last = new Made();
}

/** The estimate of what a function allocated, from raw figures and their one interval. */
function estimates() {
  const { sampleInterval } = memprof.status().heap;
  const sums = { one: 0, two: 0, objects: 0 };
  for (const record of memprof.readRecords(true)) {
    const { allocBytes, allocObjects } = record;
    const name = ['one', 'two'].find((each) => record.stack().some((frame) => frame.functionName === each));
    if (name === undefined) continue;
    sums[name] += allocBytes / (1 - Math.exp(-allocBytes / allocObjects / sampleInterval));
    sums.objects += allocObjects;
  }
  return { ...sums, sampleInterval };
}

memprof.start({ directSamples: true, sampleInterval: 65536 });
one(400_000); // some 600 samples: more than the proof needs
gc();
const segments = [];
let before = estimates();
let previous = 65536;
for (const interval of [8192, 524288, 16384, 1048576, 4096, 131072, 32768, 262144, 2048, 65536]) {
  memprof.setSampleInterval(interval);
  // The step that was drawn before the change ends first: one of 20 times the mean has a chance of e^-20.
  one((20 * previous) / BYTES);
  previous = interval;
  gc();
  gc();
  before = estimates();
  // Enough for 200 samples of `one`.
  const count = Math.max(100_000, Math.ceil((200 * interval) / BYTES));
  one(count);
  two(count);
  gc();
  gc();
  const after = estimates();
  segments.push({
    interval,
    truth: { one: count * BYTES, two: 2 * count * BYTES },
    now: memprof.status().heap.interval,
    recordsFor: after.sampleInterval,
    one: after.one - before.one,
    two: after.two - before.two,
  });
}
const refused = [];
for (const wrong of [
  0,
  1.5,
  '64k',
  null,
  { finest: 2, coarsest: 1 },
  { finest: 1 },
  { finest: 1, coarsest: 2, x: 1 },
]) {
  try {
    memprof.setSampleInterval(wrong);
    refused.push('taken');
  } catch (error) {
    refused.push(error.code);
  }
}
const { source, sourceProblem } = memprof.status().heap;
console.log(JSON.stringify({ source, sourceProblem, segments, refused }));
