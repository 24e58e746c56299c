'use strict';
// MemStats of the process and of the isolate at every stage of a program's life.
const { once } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { readMemStats, start, stop } = require('../../dist');
const { print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const SIZE = 128;
const [mainBytes, workerBytes] = process.argv.slice(2).map(Number);

const sink = { last: undefined };
function allocate(bytes) {
  for (let n = 0; n < bytes / SIZE; n++) sink.last = new Thing(n);
}

// V8 counts what a thread of its own takes (Node.js 24 compiles in the background) as used, and no longer when it
// gives that back: a single difference may be 0, or some 100 KB.
function median(times, measure) {
  const values = Array.from({ length: times }, measure).sort((a, b) => a - b);
  return values[times >> 1];
}

const stages = [];
/** Of one moment: with no page coming or going in between. */
function read(stage) {
  for (let more = 0; more < 100; more++) {
    const before = readMemStats({ scope: 'isolate' });
    const process = readMemStats();
    const isolate = readMemStats({ scope: 'isolate' });
    if (more < 99 && (before.heapSys !== isolate.heapSys || before.numGC !== isolate.numGC)) continue;
    stages.push({ stage, isolate: before, process });
    return;
  }
}

async function main() {
  read('before');
  start({ sampleInterval: 65536 });
  read('started');
  const beforeLoop = readMemStats().totalAlloc;
  allocate(mainBytes);
  const loop = readMemStats().totalAlloc - beforeLoop;
  read('allocated');
  for (let n = 0; n < 3; n++) gc();
  read('forced');
  const small = median(51, () => {
    const before = readMemStats().totalAlloc;
    return readMemStats().totalAlloc - before;
  });

  const beforeWorker = readMemStats().totalAlloc;
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  await once(worker, 'message');
  read('worker');
  worker.postMessage('end');
  await once(worker, 'exit');
  const withWorker = readMemStats().totalAlloc - beforeWorker;
  read('workerEnded');
  stop();
  read('stopped');
  print({ stages, loop, small, withWorker, rss: process.memoryUsage().rss });
}

if (isMainThread) {
  main();
} else {
  start();
  allocate(workerBytes);
  gc();
  parentPort.once('message', () => {});
  parentPort.postMessage('ready');
}
