'use strict';
// A plain allocation loop: BYTES of garbage, sampled every INTERVAL bytes.
const { readMemStats, start, status } = require('../../dist');
const { plainRecords, print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const [bytes, sampleInterval] = process.argv.slice(2).map(Number);

const sink = { last: undefined };
function allocate(count) {
  for (let n = 0; n < count; n++) sink.last = new Thing(n);
}

gc();
start({ sampleInterval });
const before = readMemStats();
allocate(bytes / 128);
gc();
gc();
const after = readMemStats();
print({ records: plainRecords(), totalAlloc: after.totalAlloc - before.totalAlloc, status: status() });
