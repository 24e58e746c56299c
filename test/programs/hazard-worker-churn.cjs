'use strict';
// Workers that are started and terminated in the middle of their allocations. Arguments: how many.
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

function inWorker() {
  memprof.start();
  let recent = [];
  const allocate = () => {
    for (let i = 0; i < 20000; i++) {
      recent.push({ i, text: `in worker ${i}`, more: [i] });
      if (recent.length > 50000) recent = [];
    }
  };
  allocate();
  parentPort.postMessage('allocating');
  for (;;) allocate();
}

async function inMainThread() {
  const count = Number(process.argv[2]);
  memprof.start({ sampleInterval: 16384 });
  const codes = new Map();
  const one = (i) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(__filename, { argv: [] });
      worker.on('error', reject);
      const terminate = () => setTimeout(() => worker.terminate(), i % 7);
      // Every third is terminated before it says anything: while it starts, loads the addon, or allocates.
      if (i % 3 === 0) worker.on('online', terminate);
      else worker.on('message', terminate);
      worker.on('exit', (code) => {
        codes.set(code, (codes.get(code) ?? 0) + 1);
        memprof.readRecords(true);
        resolve();
      });
    });
  for (let i = 0; i < count; i += 2) await Promise.all([one(i), one(i + 1)]);
  gc();
  const worked = figuresOf('inWorker');
  memprof.stop();
  const { threads, internal } = memprof.status();
  report({ codes: [...codes], worked, threads, isolates: internal.isolates });
}

if (isMainThread) inMainThread();
else inWorker();
