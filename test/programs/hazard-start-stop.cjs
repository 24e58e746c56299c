'use strict';
// start() and stop() over and over, with allocation in between. Arguments: times.
const memprof = require('../../dist');
const { collect } = require('./support/report.cjs');

const times = Number(process.argv[2]);
let kept = [];
function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}

let wrong = 0;
let own = 0;
for (let i = 0; i < times; i++) {
  if (i % 100 === 0) kept = [];
  memprof.start({ sampleInterval: 2048, stackDepth: 1 + (i % 64), reset: i % 50 === 49 });
  if (memprof.status().state !== 'running') wrong++;
  keep(200 + (i % 100));
  if (i % 20 === 0) gc();
  if (i % 7 === 0) memprof.readRecords(true);
  memprof.stop();
  memprof.stop();
  if (memprof.status().state !== 'stopped') wrong++;
  if (i % 100 === 0) {
    const { negative } = collect();
    wrong += negative;
    const { tables, internal } = memprof.status();
    if (i >= times / 2 && own === 0) own = tables.committedBytes + internal.isolateBytes;
  }
}
memprof.start({ sampleInterval: 2048, reset: true });
keep(20000);
gc();
const { inUseObjects } = collect();
memprof.stop();
const { tables, internal, heap } = memprof.status();
console.log(
  JSON.stringify({
    wrong,
    inUseObjects,
    grown: tables.committedBytes + internal.isolateBytes - own,
    directSamples: internal.directSamples,
    sourceProblem: heap.sourceProblem,
  }),
);
