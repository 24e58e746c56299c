'use strict';
// Keeps the objects of one function, drops those of another, and later drops the kept ones as well.
const { start, status } = require('../../dist');
const { plainRecords, print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const [count, sampleInterval] = process.argv.slice(2).map(Number);

// Never in a variable of a function that still runs: V8's interpreter keeps what its registers once held.
const kept = new Array(count);
function keep() {
  for (let n = 0; n < count; n++) kept[n] = new Thing(n);
}

const sink = { last: undefined };
function drop() {
  for (let n = 0; n < count; n++) sink.last = new Thing(n);
  sink.last = undefined;
}

// Twice: V8 keeps what was allocated while it marked.
function collect() {
  gc();
  gc();
}

start({ sampleInterval });
keep();
drop();
collect();
const all = plainRecords(true);
const inUse = plainRecords(false);
let intact = 0;
for (let n = 0; n < count; n++) intact += Number(kept[n].a === n && kept[n].m === 1);
kept.fill(undefined);
collect();
print({ all, inUse, afterwards: plainRecords(true), intact, status: status() });
