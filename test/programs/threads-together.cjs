'use strict';
// The main thread and two workers profile themselves at the same time.
const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { start, status } = require('../../dist');
const { plainRecords, print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const [count, sampleInterval] = process.argv.slice(2).map(Number);

const kept = [];
const keepers = {
  keepInMain() {
    for (let n = 0; n < count; n++) kept.push(new Thing(n));
  },
  keepInFirst() {
    for (let n = 0; n < count; n++) kept.push(new Thing(n));
  },
  keepInSecond() {
    for (let n = 0; n < count; n++) kept.push(new Thing(n));
  },
};

function profile(keeper) {
  start({ sampleInterval });
  keepers[keeper]();
  gc();
  gc();
}

async function main() {
  const workers = ['keepInFirst', 'keepInSecond'].map(
    (keeper) => new Worker(__filename, { workerData: keeper, argv: process.argv.slice(2) }),
  );
  const ready = workers.map((worker) => once(worker, 'message'));
  profile('keepInMain');
  await Promise.all(ready);
  const together = { records: plainRecords(), status: status() };

  const ended = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.postMessage('end');
  await Promise.all(ended);
  print({ together, alone: { records: plainRecords(), status: status() } });
}

if (isMainThread) {
  main();
} else {
  profile(workerData);
  parentPort.once('message', () => {});
  parentPort.postMessage('ready');
}
