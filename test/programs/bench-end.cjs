// Ends the process, or a worker, in the middle of a count: a sampler must not outlive its isolate.
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { allocsPerRun } = require('../../dist/bench');

const how = isMainThread ? process.argv[2] : workerData;
if (isMainThread && how.startsWith('worker')) {
  const worker = new Worker(__filename, { workerData: how });
  worker.on('message', () => worker.terminate());
} else {
  run(isMainThread ? () => process.exit(0) : () => require('node:worker_threads').parentPort.postMessage(''));
}

function run(end) {
  let calls = 0;
  const step = () => {
    if (++calls === 1000) end();
    return { calls };
  };
  const later = async () => {
    await nextTurn();
    return step();
  };
  allocsPerRun(2 ** 31 - 1, how.endsWith('async') ? later : step);
}

// Lets the loop turn, without which nobody could end the thread from outside.
function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve));
}
