'use strict';
// Changes the sample interval ten times while two functions allocate, one of them twice as much as the other.
// usage: intervals.cjs
const memprof = require('../../dist');

const sink = { last: undefined };
const SIZE = 112; // a JSArray and its 10 elements, as V8 lays them out; only the ratio matters

function one(n) {
  for (let i = 0; i < n; i++) sink.last = new Array(10).fill(i);
}
function two(n) {
  for (let i = 0; i < 2 * n; i++) sink.last = new Array(10).fill(i);
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
const beginning = before;
for (const interval of [8192, 524288, 16384, 1048576, 4096, 131072, 32768, 262144, 2048, 65536]) {
  memprof.setSampleInterval(interval);
  // What was drawn before the change ends first.
  one(20_000);
  gc();
  gc();
  before = estimates();
  one(100_000);
  two(100_000);
  gc();
  gc();
  const after = estimates();
  segments.push({
    interval,
    now: memprof.status().heap.interval,
    recordsFor: after.sampleInterval,
    one: after.one - before.one,
    two: after.two - before.two,
  });
}
// A second reader sees the same in the formats.
const whole = estimates();
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
console.log(JSON.stringify({ source, sourceProblem, segments, beginning, whole, refused, size: SIZE }));
