'use strict';
// Garbage of SIZE bytes an object, COUNT times, for each SIZE. Filling 100 GB with `new Array` would take minutes: these
// are V8's own byte arrays, objects on its heap as any other, but nobody writes to them.
const { setFlagsFromString } = require('node:v8');
const { start, status } = require('../../dist');
const { plainRecords, print } = require('./support/records.cjs');

const [count, ...sizes] = process.argv.slice(2).map(Number);

setFlagsFromString('--allow-natives-syntax');
const HEADER = 16;
const allocateRaw = new Function('count', 'length', 'while (count-- > 0) %AllocateByteArray(length)');

function allocateLarge(size) {
  allocateRaw(count, size - HEADER);
}

// Every collection is harvested: estimates of lost samples would mix the sizes where one follows the other.
start({ maxOverhead: 1, maxPause: 1000 });
sizes.forEach(allocateLarge);
gc();
gc();
print({ records: plainRecords(), status: status() });
