'use strict';
// Runs under --heap-prof, whose sampler runs from before the program until after its end.
const { readdirSync } = require('node:fs');
const inspector = require('node:inspector');
const memprof = require('../../dist');

const [directory, how] = process.argv.slice(2);
const kept = [];
function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}
function start() {
  try {
    memprof.start({ sampleInterval: 4096 });
    return 'started';
  } catch (error) {
    return error.code;
  }
}

keep(20_000);
const codes = [start()];
if (how === 'stopped') {
  // Somebody stops it, memprof takes its place, and at the end Node.js misses its own.
  const session = new inspector.Session();
  session.connect();
  session.post('HeapProfiler.stopSampling');
  codes.push(start());
}
keep(20_000);
gc();
const { state, heap } = memprof.status();
const files = readdirSync(directory).length;
console.log(JSON.stringify({ codes, state, samples: heap.samplesSeen, files, kept: kept.length }));
