'use strict';
// Counts blocks of memory over workers that come and go. Arguments: the addon of block-counter.cc; how many workers; how
// they end: 'plain', without memprof; 'profiled'; or 'rung', which are idle when they are asked for figures, and are
// terminated before they run again. Prints, for sizes in steps of 16 bytes, how many more blocks there are than before,
// for each worker: in that of three batches of workers where there are fewest more, and for 'plain', of which Node.js itself
// leaves some, in the middle one.
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
  const more = before.map(() => []);
  for (let i = 0; i < BATCHES; i++) {
    const after = await batch(count / BATCHES);
    for (const [at, each] of more.entries()) each.push((after[at] - before[at]) / (count / BATCHES));
    before = after;
  }
  const chosen = how === 'plain' ? (BATCHES - 1) / 2 : 0;
  console.log(JSON.stringify(more.map((each) => each.sort((a, b) => a - b)[chosen])));
}

function inWorker() {
  if (workerData !== 'plain') require('../../dist').start();
  parentPort.once('message', () => process.exit());
  parentPort.postMessage('ready');
}

if (isMainThread) inMainThread();
else inWorker();
