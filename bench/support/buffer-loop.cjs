'use strict';
// Allocates buffers by turns with memprof's wrapper of the allocator and without, in one thread and one heap: two threads
// or processes differ by a tenth and more for the way their heaps happen to lie. memprof runs all the time. What counts is
// CPU time, so that others at work on the machine do not. Arguments: the path of allocator-switch, and the number of
// rounds: of half a second, and going on. Prints ratios by size, as JSON. Needs --expose-gc.
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

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Nanoseconds of CPU an allocation, with the collections that it causes. */
function turn(which, bytes, ms) {
  allocator.use(which);
  const times = Math.max(4, Math.floor(2 ** 20 / (bytes + 4096)));
  let count = 0;
  const began = cpuMs();
  let now = began;
  for (; now - began < ms; now = cpuMs(), count += times) allocate(bytes, times);
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

function start(maxOverhead, bufferSampleInterval = 2 ** 19) {
  memprof.stop();
  memprof.start({ sampleInterval: 2 ** 30, buffers: true, bufferSampleInterval, maxOverhead, reset: true });
}

allocator.save();
start(MAX_OVERHEAD);
if (!allocator.save()) throw new Error(`not wrapped: ${memprof.status().buffers.problem}`);
for (const bytes of SIZES) measure(bytes, 10, 20);

const [firstRounds, rounds] = process.argv.slice(3).map(Number);
const HALF_SECOND = 500;
const first = SIZES.map((bytes) => measure(bytes, firstRounds, HALF_SECOND, () => start(MAX_OVERHEAD)));
// A third of the time: as much of it for samples as there is where all of it is.
start(MAX_OVERHEAD / 3);
measure(64 * 1024, 50, 20);
const began = [performance.now(), cpuMs()];
const goingOn = SIZES.map((bytes) => measure(bytes, rounds, 20));
const share = (cpuMs() - began[1]) / (performance.now() - began[0]);
start(MAX_OVERHEAD, 2 ** 30);
const unsampled = SIZES.map((bytes) => measure(bytes, rounds, 20));
const rows = {
  'in the first half second': first,
  'going on': goingOn,
  'going on, without samples': unsampled,
};
console.log(JSON.stringify({ share, rows }));
