'use strict';
// Serves memprof's pages while listeners pile up in the main thread, and a worker fills a cache. Prints the URL and the
// worker's thread id; ends when standard input does.
// usage: why-server.cjs direct|public
const { EventEmitter } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const memprof = require('../../dist');
const { serve } = require('../../dist/http');

const mode = isMainThread ? process.argv[2] : workerData;
memprof.start({ directSamples: mode === 'direct', sampleInterval: 8192 });

const bus = new EventEmitter();
bus.setMaxListeners(0);
function subscribe(n) {
  const big = new Array(100).fill(n);
  const points = Array.from({ length: 10 }, (_, at) => ({ at, n }));
  bus.on('tick', () => big.length + points.length);
}

const cache = new Map();
function remember(n) {
  cache.set(n, { n, cart: new Array(100).fill(n) });
}

async function main() {
  for (let n = 0; n < 3000; n++) subscribe(n);
  const worker = new Worker(__filename, { workerData: mode });
  await new Promise((resolve) => worker.once('message', resolve));
  const { url } = await serve({ port: 0 });
  process.stdin.resume().on('end', () => process.exit());
  console.log(JSON.stringify({ url, worker: worker.threadId }));
}

if (isMainThread) {
  void main();
} else {
  for (let n = 0; n < 3000; n++) remember(n);
  parentPort.postMessage('filled');
  parentPort.on('message', () => {});
}
