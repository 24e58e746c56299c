'use strict';
// Allocates when it is its turn. Told by `workerData`: whether its buffers are profiled, the phases, and shared memory for
// turns and times.
const { workerData } = require('node:worker_threads');
const { me, profiled, phases, turns, times } = workerData;

const turn = new Int32Array(turns);
const took = new Float64Array(times);
require('../..').start({ sampleInterval: 2 ** 30, buffers: profiled });

const BATCH = 4 << 20;
const nanoseconds = new Float64Array(4096);
let kept;
// Compiled code. Not large ones, or the time that is there for samples at first would be used up.
for (const end = performance.now() + 300; performance.now() < end; ) {
  for (let i = 0; i < 100; i++) kept = Buffer.allocUnsafeSlow(1000);
}
Atomics.add(turn, 1, 1);
Atomics.notify(turn, 1);
for (;;) {
  // 0: nobody's; else the worker's number and the phase's, and -1 the end.
  const now = Atomics.load(turn, 0);
  if (now === -1) break;
  if (now === 0 || now >> 8 !== me) {
    Atomics.wait(turn, 0, now);
    continue;
  }
  const { bytes, turnMs } = phases[now & 255];
  const times = Math.max(20, Math.floor(BATCH / (bytes + 4096)));
  let batches = 0;
  const end = performance.now() + turnMs;
  for (let began = performance.now(); began < end; batches++) {
    for (let i = 0; i < times; i++) kept = Buffer.allocUnsafeSlow(bytes);
    const ended = performance.now();
    nanoseconds[batches % nanoseconds.length] = ((ended - began) * 1e6) / times;
    began = ended;
  }
  // Means, since samples are few and long: of all, and of the batches that no collection or other thread came into.
  const all = nanoseconds.subarray(0, Math.min(batches, nanoseconds.length)).sort();
  const quiet = all.filter((each) => each <= 4 * all[all.length >> 1]);
  took.set([all, quiet].map((each) => each.reduce((sum, value) => sum + value, 0) / each.length));
  Atomics.store(turn, 0, 0);
  Atomics.notify(turn, 0);
}
module.exports = kept;
