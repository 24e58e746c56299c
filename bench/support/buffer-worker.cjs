'use strict';
// Allocates when it is its turn. Told by `workerData`: whether its buffers are profiled, the sizes, and shared memory for
// turns and times.
const { workerData } = require('node:worker_threads');
const { me, profiled, sizes, batch, turns, times } = workerData;

const turn = new Int32Array(turns);
const took = new Float64Array(times);
if (profiled) require('../..').start({ sampleInterval: 2 ** 30, buffers: true });

let kept;
// Compiled code, and past the time that is there for samples at the start: from here on it is a share of all time.
for (const end = performance.now() + 700; performance.now() < end; ) {
  for (let i = 0; i < 100; i++) kept = Buffer.allocUnsafeSlow(65536);
}
Atomics.add(turn, 1, 1);
Atomics.notify(turn, 1);
for (;;) {
  // 0: nobody's; else the worker's number and the size's, and -1 the end.
  const now = Atomics.load(turn, 0);
  if (now === -1) break;
  if (now === 0 || now >> 8 !== me) {
    Atomics.wait(turn, 0, now);
    continue;
  }
  const size = sizes[now & 255];
  const times = Math.max(20, Math.floor(batch / (size + 4096)));
  const began = process.hrtime.bigint();
  for (let i = 0; i < times; i++) kept = Buffer.allocUnsafeSlow(size);
  took[0] = Number(process.hrtime.bigint() - began) / times;
  Atomics.store(turn, 0, 0);
  Atomics.notify(turn, 0);
}
module.exports = kept;
