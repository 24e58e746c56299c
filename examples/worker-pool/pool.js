// A pool of worker threads that renders invoices: npx memprof run pool.js, or node --import memprof/register pool.js
//
// Workers are profiled with the process. What each of them allocated stays in the profile when it has ended.

const { once } = require('node:events');
const { availableParallelism } = require('node:os');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

function renderInvoice(number) {
  const lines = Array.from({ length: 500 }, (_, at) => ({ at, text: `item ${at} of invoice ${number}` }));
  return lines.map(({ text }) => text).join('\n').length;
}

async function main() {
  const workers = Array.from({ length: Math.min(4, availableParallelism()) }, () => new Worker(__filename));
  let next = 0;
  let length = 0;
  const serve = async (worker) => {
    while (next < 2000) {
      worker.postMessage(next++);
      const [answer] = await once(worker, 'message');
      length += answer;
    }
    await worker.terminate();
  };
  await Promise.all(workers.map(serve));
  console.log(`${next} invoices, ${length} characters`);
}

if (isMainThread) main();
else parentPort.on('message', (number) => parentPort.postMessage(renderInvoice(number)));
