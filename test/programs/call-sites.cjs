'use strict';
// Allocates on six lines, in functions that the optimiser inlines and in one that it does not.
// usage: call-sites.cjs ROUNDS SAMPLE_INTERVAL [warm] [FILE]
// "warm" starts the profiler when the code has been optimised already, and "hot" likewise, but knows its lines. FILE: where to write a proto.
const { createWriteStream } = require('node:fs');
const memprof = require('../../dist');

const [rounds, sampleInterval, mode, file] = [
  Number(process.argv[2]),
  Number(process.argv[3]),
  ...process.argv.slice(4),
];
const sink = { last: undefined, now: 0 };

// A call between two allocations keeps V8 from making one of both.
function tick() {
  sink.now = Date.now();
}

function pair(a) {
  return { a, b: a, c: a }; // pair
}

function list(a) {
  return new Array(a).fill(a); // list
}

function work(i) {
  sink.last = pair(i);
  tick();
  sink.last = list(24);
  tick();
  sink.last = [i, i, i, i, i, i, i, i]; // eight
  tick();
  sink.last = list(72);
  tick();
  sink.last = apart(i);
}

// Too large to be inlined.
function apart(i) {
  const a = [i, i]; // two
  tick();
  const b = { a, i, n: a.length }; // three
  switch (i % 16) {
    case 0:
      sink.now += i * 3 + (sink.now % 7);
      break;
    case 1:
      sink.now += i * 4 + (sink.now % 8);
      break;
    case 2:
      sink.now += i * 5 + (sink.now % 9);
      break;
    case 3:
      sink.now += i * 6 + (sink.now % 10);
      break;
    case 4:
      sink.now += i * 7 + (sink.now % 11);
      break;
    case 5:
      sink.now += i * 8 + (sink.now % 12);
      break;
    case 6:
      sink.now += i * 9 + (sink.now % 13);
      break;
    case 7:
      sink.now += i * 10 + (sink.now % 14);
      break;
    case 8:
      sink.now += i * 11 + (sink.now % 15);
      break;
    case 9:
      sink.now += i * 12 + (sink.now % 16);
      break;
    case 10:
      sink.now += i * 13 + (sink.now % 17);
      break;
    case 11:
      sink.now += i * 14 + (sink.now % 18);
      break;
    case 12:
      sink.now += i * 15 + (sink.now % 19);
      break;
    case 13:
      sink.now += i * 16 + (sink.now % 20);
      break;
    case 14:
      sink.now += i * 17 + (sink.now % 21);
      break;
    default:
      tick();
  }
  return b;
}

function main(n) {
  for (let i = 0; i < n; i++) work(i & 1023);
}

if (mode === 'hot') memprof.start({ callSites: true, sampleInterval: 2 ** 30 });
if (mode === 'warm' || mode === 'hot') main(400_000);
if (mode === 'hot') memprof.stop();
memprof.start({ callSites: true, sampleInterval, maxOverhead: 1, reset: true });
// With a sample for each allocation, they are read before too many wait.
function run(n) {
  for (let done = 0; done < n; done += 20) {
    if (sampleInterval === 1) memprof.MemProfile(null, true);
    main(20);
  }
}

function count(lines, sign) {
  // Records are those of the last collection.
  globalThis.gc();
  for (const record of memprof.readRecords(true)) {
    const stack = record.stack();
    const at = stack.findIndex(({ functionName }) => functionName === 'work');
    if (at === -1) continue;
    const { functionName, lineNumber, startLine } = stack[0];
    const line = startLine === undefined ? '?' : lineNumber;
    const key = `${functionName}:${line} < work:${stack[at].lineNumber}`;
    lines[key] ??= { samples: 0, bytes: 0, inlined: 0 };
    lines[key].samples += sign * record.allocObjects;
    lines[key].bytes += sign * record.allocBytes;
    if (stack.slice(0, at).some(({ inlined }) => inlined)) lines[key].inlined += sign * record.allocObjects;
  }
}

const lines = {};
if (mode === 'hot') {
  // What was optimised before is optimised anew.
  run(300_000);
  count(lines, -1);
}
run(rounds);
count(lines, 1);
for (const key of Object.keys(lines)) if (lines[key].samples === 0) delete lines[key];
const { callSites, heap, overhead } = memprof.status();
const done = () => {
  memprof.stop();
  console.log(JSON.stringify({ lines, callSites, source: heap.source, overhead }));
};
if (file === undefined) done();
else memprof.lookup('allocs').writeTo(createWriteStream(file), 0).then(done);
