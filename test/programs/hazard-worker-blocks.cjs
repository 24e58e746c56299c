'use strict';
// Counts blocks of memory over workers that come and go. Arguments: the addon of block-counter.cc; how many workers; how
// they end: 'plain', without memprof; 'profiled'; or 'rung', which are idle when they are asked for figures, and are
// terminated before they run again. Prints, for sizes in steps of 16 bytes, how many more blocks there are than before,
// for each worker: in that of three batches of workers where there are fewest more.
const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const BATCHES = 3;

async function inMainThread() {
  const [counterFile, count, how] = process.argv.slice(2);
  const { blocks } = require(counterFile);
  if (how !== 'plain') require('../../dist').start();
  const one = async () => {
    const worker = new Worker(__filename, { workerData: how });
    await once(worker, 'message');
    if (how === 'rung') {
      // It runs no JavaScript any more, in which the interrupt would come.
      require('../../dist/addon/native.js').native().refresh(false);
      worker.terminate();
    } else {
      worker.postMessage('end');
    }
    await once(worker, 'exit');
  };
  const batch = async (size) => {
    for (let i = 0; i < size; i++) await one();
    for (let i = 0; i < 4; i++) {
      gc();
      await new Promise(setImmediate);
    }
    return blocks();
  };
  // Caches fill, and code is compiled.
  await batch(10);
  // What grows by leaps, as tables do, does not so in every batch.
  let before = await batch(2);
  let least = before.map(() => Number.POSITIVE_INFINITY);
  for (let i = 0; i < BATCHES; i++) {
    const after = await batch(count / BATCHES);
    least = least.map((most, at) => Math.min(most, (after[at] - before[at]) / (count / BATCHES)));
    before = after;
  }
  console.log(JSON.stringify(least));
}

function inWorker() {
  if (workerData !== 'plain') require('../../dist').start();
  parentPort.once('message', () => process.exit());
  parentPort.postMessage('ready');
}

if (isMainThread) inMainThread();
else inWorker();
