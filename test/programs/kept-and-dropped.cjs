'use strict';
// Keeps the objects of one function, drops those of another, and later drops the kept ones as well.
const { start, status } = require('../../dist');
const { plainRecords, print } = require('./support/records.cjs');

const [count, sampleInterval] = process.argv.slice(2).map(Number);

/**
 * An object of exactly 344 bytes, three words of header and 40 fields: V8 makes no object of its own of this size inside
 * `keep` and `drop`. Of 128 bytes it makes one, when it compiles `keep` under --single-threaded on Node.js 24 and 26.
 */
class Thing {
  constructor(value) {
    this.a = value;
    this.b = 1;
    this.c = 1;
    this.d = 1;
    this.e = 1;
    this.f = 1;
    this.g = 1;
    this.h = 1;
    this.i = 1;
    this.j = 1;
    this.k = 1;
    this.l = 1;
    this.m = 1;
    this.n = 1;
    this.o = 1;
    this.p = 1;
    this.q = 1;
    this.r = 1;
    this.s = 1;
    this.t = 1;
    this.u = 1;
    this.v = 1;
    this.w = 1;
    this.x = 1;
    this.y = 1;
    this.z = 1;
    this.a1 = 1;
    this.b1 = 1;
    this.c1 = 1;
    this.d1 = 1;
    this.e1 = 1;
    this.f1 = 1;
    this.g1 = 1;
    this.h1 = 1;
    this.i1 = 1;
    this.j1 = 1;
    this.k1 = 1;
    this.l1 = 1;
    this.m1 = 1;
    this.n1 = 1;
  }
}

// The first few are larger, until V8 knows how many fields there are.
for (let n = 0; n < 64; n++) new Thing(n);

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

// All overhead is allowed: on a busy machine collections would be skipped else, and what is estimated of lost samples has
// another sigma than the samples have.
start({ sampleInterval, maxOverhead: 1 });
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
