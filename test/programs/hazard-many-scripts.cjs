'use strict';
// Many loaded scripts: V8 walks them all at each harvest. Arguments: scripts.
const vm = require('node:vm');
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const count = Number(process.argv[2]);
const functions = [];

memprof.start({ sampleInterval: 16384 });
for (let i = 0; i < count; i++) {
  const script = new vm.Script(
    `(function inScript${i}(n) { const made = []; for (let i = 0; i < n; i++) made.push({ i }); return made; })`,
    {
      filename: `/scripts/script-${i}.js`,
    },
  );
  functions.push(script.runInThisContext());
}
const kept = [];
for (let i = 0; i < count * 10; i++) kept[i % 5000] = functions[(i * 7919) % count](100);
gc();
const first = functions.length;
let files = 0;
for (const record of memprof.readRecords(true)) {
  if (
    record
      .stack()
      .some((frame) => /^\/scripts\/script-\d+\.js$/.test(frame.fileName) && frame.lineNumber === 1)
  )
    files++;
}
const one = figuresOf(`inScript${(7919 * (count * 10 - 1)) % count}`);
memprof.stop();
const { heap, internal } = memprof.status();
const { longestPauseNs } = heap;
const { harvestCpuNs, runningNs } = internal;
report({ first, files, one, longestPauseNs, harvestCpuNs, runningNs });
