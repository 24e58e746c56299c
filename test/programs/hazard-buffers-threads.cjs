'use strict';
// What could go wrong with buffers that several threads have to do with. Every buffer is sampled, but where the scenario
// says so. Arguments: scenario, how often.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { once } = require('node:events');

const SIZE = 20_000;

function memprof() {
  return require('../../dist');
}
function start() {
  memprof().start({ buffers: true, bufferSampleInterval: 1 });
}

function makeInWorker(count) {
  return Array.from({ length: count }, (_, i) => new ArrayBuffer(SIZE + i));
}

const inWorker = {
  /** Buffers go to the main thread, and this one ends before they do. */
  sends(count) {
    start();
    const buffers = makeInWorker(count);
    parentPort.postMessage(buffers, buffers);
  },
  /** Buffers come from the main thread; some go back, the others end with this thread. */
  async receives() {
    start();
    const [buffers] = await once(parentPort, 'message');
    const back = buffers.filter((_, i) => i % 2 === 0);
    parentPort.postMessage(back, back);
  },
  /** Terminated in the middle of its allocations. */
  churns() {
    start();
    const recent = [];
    parentPort.postMessage(makeInWorker(20));
    for (let i = 0; ; i++) {
      recent.push(Buffer.allocUnsafeSlow(1000 + (i % 5000)));
      if (recent.length > 300) recent.splice(0, 200);
    }
  },
  shares(count) {
    start();
    const buffers = Array.from({ length: count }, () => new SharedArrayBuffer(SIZE));
    for (const buffer of buffers) new Uint8Array(buffer).fill(1);
    parentPort.postMessage(buffers);
  },
  /** Ends right after a collection, whose garbage another thread frees meanwhile. */
  sweeps(count) {
    start();
    for (let i = 0; i < count; i++) new ArrayBuffer(2000);
    gc();
  },
  outOfHeap() {
    start();
    const kept = [];
    for (;;) kept.push({ buffer: Buffer.allocUnsafeSlow(100), more: [kept.length] });
  },
  /** Up to the end of the stack, of which a worker has less. */
  deep() {
    start();
    let made = 0;
    const recurse = () => {
      made += Buffer.allocUnsafeSlow(100).length > 0 ? 1 : 0;
      recurse();
    };
    try {
      recurse();
    } catch (error) {
      parentPort.postMessage({ name: error.name, made });
    }
  },
};

function work(name, count, options = {}) {
  return new Worker(__filename, { workerData: { name, count }, ...options });
}

/** The first message of a worker that ends thereafter. */
async function outcomeOf(worker) {
  const [[message]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return message;
}

const inMain = {
  async sends(times) {
    start();
    let wrong = 0;
    let kept = [];
    const one = async () => {
      const buffers = await outcomeOf(work('sends', 50));
      if (buffers.length !== 50 || buffers[49].byteLength !== SIZE + 49) wrong++;
      kept.push(...buffers);
    };
    for (let i = 0; i < times; i++) await one();
    const { bufferFigures, collectAll } = require('./support/buffer-figures.cjs');
    await collectAll();
    const alive = bufferFigures('makeInWorker');
    kept = [];
    await collectAll();
    return { mismatches: wrong, alive, gone: bufferFigures('makeInWorker') };
  },

  async receives(times) {
    start();
    let back = 0;
    for (let i = 0; i < times; i++) {
      const buffers = makeInWorker(50);
      const worker = work('receives');
      worker.postMessage(buffers, buffers);
      back += (await outcomeOf(worker)).length;
    }
    const { bufferFigures, collectAll } = require('./support/buffer-figures.cjs');
    await collectAll();
    return { back, gone: bufferFigures('makeInWorker') };
  },

  async churns(times) {
    start();
    const kept = [];
    for (let i = 0; i < times; i++) {
      const worker = work('churns');
      const [buffers] = await once(worker, 'message');
      kept.push(buffers[i % 20]);
      await new Promise((resolve) => setTimeout(resolve, i % 5));
      await worker.terminate();
    }
    const { bufferFigures, collectAll } = require('./support/buffer-figures.cjs');
    await collectAll();
    return { kept: kept.length, churned: bufferFigures('churns') };
  },

  async shares(times) {
    start();
    let wrong = 0;
    let kept = [];
    const one = async () => {
      const buffers = await outcomeOf(work('shares', 20));
      for (const buffer of buffers) if (new Uint8Array(buffer)[SIZE - 1] !== 1) wrong++;
      kept.push(buffers[0]);
    };
    for (let i = 0; i < times; i++) await one();
    const { bufferFigures, collectAll } = require('./support/buffer-figures.cjs');
    await collectAll();
    const alive = bufferFigures('shares');
    kept = [];
    await collectAll();
    return { mismatches: wrong, alive, gone: bufferFigures('shares') };
  },

  async sweeps(times) {
    start();
    for (let i = 0; i < times; i++) await once(work('sweeps', 3000), 'exit');
    return {};
  },

  /** memprof is in workers only. When the last of them ends, Node.js unloads addons, but what it allocated lives on. */
  async alone(times) {
    let kept = [];
    for (let i = 0; i < times; i++) {
      kept.push(...(await outcomeOf(work('sends', 50))));
      if (kept.length > 500) kept = kept.slice(250);
      if (i % 5 === 0) gc();
    }
    const loaded = Object.keys(require.cache).some((file) => file.includes('dist'));
    kept = [];
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { loaded };
  },

  async deep(times) {
    start();
    const outcomes = [];
    for (let i = 0; i < times; i++) outcomes.push(await outcomeOf(work('deep')));
    return { outcomes };
  },

  async outOfHeap(times) {
    start();
    const codes = new Set();
    for (let i = 0; i < times; i++) {
      const worker = work('outOfHeap', 0, { resourceLimits: { maxOldGenerationSizeMb: 16 } });
      const [error] = await once(worker, 'error');
      codes.add(error.code);
    }
    return { codes: [...codes] };
  },
};

async function main() {
  const more = await inMain[process.argv[2]](Number(process.argv[3]));
  await require('./support/buffer-figures.cjs').reportBuffers(more);
}

if (isMainThread) main();
else inWorker[workerData.name](workerData.count);
