'use strict';
// Allocates buffers by turns with memprof's wrapper of the allocator and without, in one thread and one heap: two threads
// or processes differ by a tenth and more for the way their heaps happen to lie. memprof runs all the time. Argument: the
// path of allocator-switch. Prints ratios by size, as JSON. Needs --expose-gc.
const memprof = require('../..');
const allocator = require(process.argv[2]);

const PLAIN = 0;
const WRAPPED = 1;
const SIZES = [1, 4, 16, 64, 1024].map((kib) => kib * 1024);
const MAX_OVERHEAD = 0.005;

const sink = { kept: undefined };
function allocate(bytes, times) {
  for (let i = 0; i < times; i++) sink.kept = Buffer.allocUnsafeSlow(bytes);
}

/** Nanoseconds an allocation, with the collections that it causes. */
function turn(which, bytes, ms) {
  allocator.use(which);
  const times = Math.max(4, Math.floor(2 ** 20 / (bytes + 4096)));
  let count = 0;
  const began = performance.now();
  let now = began;
  for (; now - began < ms; now = performance.now(), count += times) allocate(bytes, times);
  // None may live into the next turn.
  sink.kept = undefined;
  gc();
  gc();
  return ((now - began) * 1e6) / count;
}

/** A round is one turn each of plain, plain again and wrapped, in changing order. */
function measure(bytes, rounds, ms, beforeTurn = () => {}) {
  const row = { bytes, plain: [], same: [], on: [] };
  for (let round = 0; round < rounds; round++) {
    const took = [];
    for (let i = 0; i < 3; i++) {
      const who = (round + (round % 2 === 0 ? i : 2 - i)) % 3;
      beforeTurn();
      took[who] = turn(who === 2 ? WRAPPED : PLAIN, bytes, ms);
    }
    const [plain, again, wrapped] = took;
    row.plain.push(plain);
    row.same.push(again / plain);
    // Against either, or its noise would be that of one.
    row.on.push((2 * wrapped) / (plain + again));
  }
  return row;
}

function start(maxOverhead) {
  memprof.stop();
  memprof.start({ sampleInterval: 2 ** 30, buffers: true, maxOverhead });
}

allocator.save();
start(MAX_OVERHEAD);
if (!allocator.save()) throw new Error(`not wrapped: ${memprof.status().buffers.problem}`);
for (const bytes of SIZES) measure(bytes, 10, 20);

const HALF_SECOND = 500;
const first = SIZES.map((bytes) => measure(bytes, 24, HALF_SECOND, () => start(MAX_OVERHEAD)));
// A third of the time: as much of it for samples as there is where all of it is.
start(MAX_OVERHEAD / 3);
measure(64 * 1024, 50, 20);
const goingOn = SIZES.map((bytes) => measure(bytes, 240, 20));
console.log(JSON.stringify({ 'in the first half second': first, 'going on': goingOn }));
