'use strict';
// Forks natively, children that run no JavaScript, while a worker reads figures and so takes memprof's locks again and
// again. Arguments: the addon of forking.cc; how many forks.
const { once } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

async function inMainThread() {
  const { fork } = require(process.argv[2]);
  const forks = Number(process.argv[3]);
  memprof.start({ sampleInterval: 16384 });
  const worker = new Worker(__filename);
  await once(worker, 'message');
  const kept = [];
  const ends = [];
  for (let i = 0; i < forks; i++) {
    for (let j = 0; j < 2000; j++) kept.push({ j });
    ends.push(fork(null, 60));
    await new Promise(setImmediate);
  }
  await worker.terminate();
  memprof.stop();
  report({ ends });
}

function inWorker() {
  memprof.start();
  memprof.readMemStats();
  parentPort.postMessage('reading');
  for (;;) {
    memprof.status();
    memprof.readMemStats();
  }
}

if (isMainThread) inMainThread();
else inWorker();
