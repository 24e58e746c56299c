'use strict';
// ROUNDS workers, a few at a time, that all start the sampler and leave it running: they END by themselves, call
// process.EXIT(), are TERMINATEd at work or idle, or run OUT of memory.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { Thing } = require('./support/thing.cjs');

const kept = [];
function keepInWorker(count) {
  for (let n = 0; n < count; n++) kept.push(new Thing(n));
}

function work(how) {
  require('../../dist').start({ sampleInterval: 1024 });
  parentPort.postMessage('started');
  keepInWorker(5000);
  if (how === 'exit') process.exit(3);
  if (how === 'terminate') setInterval(() => keepInWorker(100), 1);
  if (how === 'out') keepInWorker(Number.POSITIVE_INFINITY);
}

/** Ends with the exit code and the error's code, if there was one. */
function runWorker(how, round) {
  return new Promise((resolve) => {
    const worker = new Worker(__filename, {
      workerData: how,
      resourceLimits: how === 'out' ? { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 } : {},
    });
    let error = '';
    worker.on('error', ({ code, message }) => {
      error = code ?? message;
    });
    worker.on('exit', (code) => resolve(`${code} ${error}`.trim()));
    if (how !== 'terminate') return;
    // A third each: while it loads and starts, while it allocates, while it is idle or between two allocations.
    if (round % 3 === 0) setTimeout(() => worker.terminate(), (round * 7) % 150);
    else worker.on('message', () => setTimeout(() => worker.terminate(), round % 3 === 1 ? 0 : round % 20));
  });
}

async function main(how, rounds) {
  const outcomes = {};
  let next = 0;
  const lane = async () => {
    while (next < rounds) {
      const outcome = await runWorker(how, next++);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);

  const { status } = require('../../dist');
  const { plainRecords, print } = require('./support/records.cjs');
  const records = plainRecords().filter(({ functions }) => functions.includes('keepInWorker'));
  print({ outcomes, records, status: status() });
}

if (isMainThread) main(process.argv[2], Number(process.argv[3]));
else work(workerData);
