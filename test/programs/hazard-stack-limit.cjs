'use strict';
// A worker that allocates at the end of its stack, with the deepest stacks that can be sampled. Arguments: workers,
// recursions in each.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const options = { sampleInterval: 4096, stackDepth: 512 };
const [workers, recursions] = process.argv.slice(2).map(Number);

let deepest = 0;
const kept = [];
function descend(depth) {
  if (depth > deepest) deepest = depth;
  const made = { depth, text: [depth] };
  if (depth % 16 === 0) kept.push(made);
  return descend(depth + 1) + made.depth;
}
// Other frames, so that stacks differ.
function descendOtherwise(depth) {
  const made = [depth, { depth }];
  return [0].map(() => descendOtherwise(depth + 1) + made[0])[0];
}

// The same for a reader.
function readNearTheEnd() {
  const room = () => {
    try {
      return room() + 1;
    } catch {
      return 0;
    }
  };
  const read = (left) => (left > 0 ? read(left - 1) : memprof.readRecords(true).length);
  for (const share of [0.5, 0.9, 0.99]) {
    try {
      read(Math.floor(room() * share));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

function recurse() {
  let overflows = 0;
  for (const down of [descend, descendOtherwise]) {
    try {
      down(0);
    } catch (error) {
      if (error instanceof RangeError) overflows++;
    }
  }
  return overflows;
}

function inWorker() {
  memprof.start(options);
  let overflows = 0;
  for (let i = 0; i < workerData; i++) {
    overflows += recurse();
    if (i % 8 === 0) gc();
    if (i % 8 === 4) kept.length = 0;
    if (i % 8 === 6) readNearTheEnd();
  }
  const depth = Math.max(...memprof.readRecords(true).map((record) => record.stack().length));
  parentPort.postMessage({ overflows, deepest, depth });
}

async function inMainThread() {
  memprof.start(options);
  const results = [];
  for (let i = 0; i < workers; i++) {
    const stackSizeMb = [4, 1, 2, 0.5][i % 4];
    const worker = new Worker(__filename, { workerData: recursions, resourceLimits: { stackSizeMb } });
    const messages = [];
    worker.on('message', (message) => messages.push(message));
    const code = await new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve));
    results.push({ stackSizeMb, code, ...messages[0] });
  }
  const descended = figuresOf('descend');
  memprof.stop();
  report({ results, descended });
}

if (isMainThread) inMainThread();
else inWorker();
