'use strict';
// process.exit() where a collection is, or was a moment ago. The argument says where.
const memprof = require('../../dist');
const { Worker, isMainThread, workerData } = require('node:worker_threads');

const where = isMainThread ? process.argv[2] : workerData;
const CODE = 7;

function churn(n) {
  const kept = [];
  for (let i = 0; i < n; i++) kept.push({ i, text: `churned ${i}`, more: [i] });
  return kept;
}

const ways = {
  finalization() {
    const registry = new FinalizationRegistry(() => process.exit(CODE));
    (() => registry.register({}, 0))();
    let turns = 0;
    const turn = () => {
      churn(20000);
      if (++turns % 5 === 0) gc();
      setImmediate(turn);
    };
    turn();
  },
  timer() {
    setTimeout(() => process.exit(CODE), Math.random() * 40);
    const turn = () => {
      churn(20000);
      setImmediate(turn);
    };
    turn();
  },
  gcObserver() {
    const { PerformanceObserver } = require('node:perf_hooks');
    new PerformanceObserver(() => process.exit(CODE)).observe({ entryTypes: ['gc'] });
    const turn = () => {
      churn(20000);
      setImmediate(turn);
    };
    turn();
  },
  exitHandler() {
    process.on('exit', () => {
      churn(50000);
      if (globalThis.gc) gc();
      memprof.readRecords(true);
    });
    churn(50000);
    process.exit(CODE);
  },
  uncaught() {
    process.on('uncaughtException', () => process.exit(CODE));
    churn(50000);
    setImmediate(() => churn(50000));
    throw new Error('thrown');
  },
  // The process ends while a worker allocates, and so does the worker.
  worker() {
    new Worker(__filename, { workerData: 'forever' });
    setTimeout(() => process.exit(CODE), 100 + Math.random() * 60);
    ways.forever();
  },
  forever() {
    const turn = () => {
      churn(20000);
      setImmediate(turn);
    };
    turn();
  },
};

memprof.start({ sampleInterval: 4096 });
ways[where]();
