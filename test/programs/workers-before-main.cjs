'use strict';
// Only workers load memprof; the main thread does when all of them have ended.
const { readFileSync } = require('node:fs');
const { Worker, isMainThread } = require('node:worker_threads');
const { Thing } = require('./support/thing.cjs');

const [workers, count, sampleInterval] = process.argv.slice(2).map(Number);

const kept = [];
function keepInWorker() {
  for (let n = 0; n < count; n++) kept.push(new Thing(n));
}

function runWorker() {
  return new Promise((resolve, reject) => {
    new Worker(__filename, { argv: process.argv.slice(2) }).on('error', reject).on('exit', resolve);
  });
}

function addonIsMapped() {
  return /\/memprof[^/]*\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'));
}

async function main() {
  const mappedBefore = addonIsMapped();
  for (let n = 0; n < workers; n++) await runWorker();
  const mappedAfter = addonIsMapped();
  const { readMemStats, status } = require('../../dist');
  const { plainRecords, print } = require('./support/records.cjs');
  const { totalAlloc } = readMemStats();
  print({ mappedBefore, mappedAfter, records: plainRecords(), totalAlloc, status: status() });
}

if (isMainThread) {
  main();
} else {
  require('../../dist').start({ sampleInterval });
  keepInWorker();
}
