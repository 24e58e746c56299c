'use strict';
// Keeps what one function allocated, drops what another did, and writes the profile as text, in both variants of the
// header, into DIRECTORY.
const { createWriteStream } = require('node:fs');
const path = require('node:path');
const { lookup, readRecords, start, status, stop } = require('../../dist');
const { print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const [directory, interval] = process.argv.slice(2);

const cache = new Array(100_000);
function fillCache() {
  for (let n = 0; n < cache.length; n++) cache[n] = new Thing(n);
}

const sink = { last: undefined };
function churn() {
  for (let n = 0; n < 300_000; n++) sink.last = new Thing(n);
}

async function write(name, options) {
  const file = createWriteStream(path.join(directory, name));
  await lookup('heap').writeTo(file, 1, options);
  await new Promise((resolve) => file.end(resolve));
}

async function main() {
  start({ sampleInterval: Number(interval) });
  fillCache();
  churn();
  gc();
  gc();
  stop(); // no record changes any more
  const records = readRecords(true).map((record) => ({
    allocBytes: record.allocBytes,
    freeBytes: record.freeBytes,
    allocObjects: record.allocObjects,
    freeObjects: record.freeObjects,
    functions: record.stack().map((frame) => frame.functionName),
    addresses: record.stack().map((frame) => frame.address),
  }));
  await write('heap.txt');
  await write('heap_v2.txt', { header: 'heap_v2' });
  print({ records, status: status() });
}

main();
