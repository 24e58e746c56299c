'use strict';
// Calls MemProfile in every way its contract speaks of, and prints what came of it.
const { MemProfile, readMemStats, readRecords, start, status } = require('../../dist');
const { print } = require('./support/records.cjs');

// No other object here is as large.
const LENGTH = 1000;

const kept = [];
function leaf(keep) {
  const array = new Array(LENGTH);
  if (keep) kept.push(array);
}
function keeper() {
  for (let n = 0; n < 200; n++) leaf(true);
}
function dropper() {
  for (let n = 0; n < 200; n++) leaf(false);
}
function outer() {
  keeper();
  dropper();
}

function latecomer() {
  for (let n = 0; n < 200; n++) kept.push(new Array(LENGTH));
}

// Twice: V8 keeps what was allocated while it marked.
function collect() {
  gc();
  gc();
}

const plain = (record) => ({
  allocBytes: record.allocBytes,
  freeBytes: record.freeBytes,
  allocObjects: record.allocObjects,
  freeObjects: record.freeObjects,
  inUseBytes: record.inUseBytes(),
  inUseObjects: record.inUseObjects(),
  functions: record.stack().map((frame) => frame.functionName),
});
const plainAll = () => readRecords(true).map(plain);
const gcs = () => readMemStats({ scope: 'isolate' }).numGC;

const report = { before: { nothing: MemProfile(null, true), empty: MemProfile([], true) } };

// Samples every allocation: then no figure is left to chance.
const gcsAtStart = gcs(); // reads records as well: not between start() and the first read
start({ sampleInterval: 1 });
outer();
const first = plainAll();
outer();
latecomer();
const second = plainAll();
// What was read holds only if V8 did not collect meanwhile.
report.firstRead = { gcs: gcs() - gcsAtStart, first, second };
collect();
report.afterGC = plainAll();
latecomer();
report.afterMore = plainAll();
collect();
report.afterMoreGC = plainAll();

const fill = (length) => Array.from({ length }, (_, index) => ({ filler: index }));
/** What a call did to an array of that length: entries of it that are still what they were, and new ones. */
function call(length, inuseZero) {
  const array = fill(length);
  const before = [...array];
  const result = MemProfile(array, inuseZero);
  return {
    result,
    length: array.length,
    untouched: array.filter((entry, index) => entry === before[index]).length,
    filled: array.filter((entry) => typeof entry.stack === 'function').length,
    tailUntouched: array.slice(result.n).every((entry, index) => entry === before[result.n + index]),
    records: array.slice(0, result.ok ? result.n : 0).map(plain),
  };
}

for (const [name, inuseZero] of [
  ['all', true],
  ['inUse', false],
]) {
  const { n } = MemProfile(null, inuseZero);
  report[name] = {
    n,
    nothing: MemProfile(null, inuseZero),
    empty: call(0, inuseZero),
    tooSmall: call(n - 1, inuseZero),
    exact: call(n, inuseZero),
    bigger: call(n + 50, inuseZero),
    companion: readRecords(inuseZero).map(plain),
  };
}

const records = readRecords(true);
const stackOf = (record) => record.stack();
const [one, other] = ['keeper', 'dropper'].map((name) =>
  records.find(
    (record) => record.stack()[0].functionName === 'leaf' && record.stack()[1].functionName === name,
  ),
);
report.frames = {
  stack: one.stack(),
  sameStackTwice: one.stack() === stackOf(one),
  // The records differ in the frame between.
  sharedFrames: one.stack()[0] === other.stack()[0] && one.stack()[2] === other.stack()[2],
  frozen: Object.isFrozen(one.stack()) && one.stack().every((frame) => Object.isFrozen(frame)),
  everyFrame: [...new Set(records.flatMap((record) => record.stack()))],
};
report.status = status();
print(report);
