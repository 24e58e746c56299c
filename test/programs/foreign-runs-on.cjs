'use strict';
// Somebody else's sampler takes the place of memprof's, and still runs when the process ends.
const v8 = require('node:v8');
const inspector = require('node:inspector');
const memprof = require('../../dist');
const { collect, report } = require('./support/report.cjs');

const session = new inspector.Session();
session.connect();
// Commands to an inspector of the same thread are carried out at once.
const post = (method, params) => session.post(method, params);

globalThis.kept = [];
function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}

memprof.start({ sampleInterval: 4096 });
keep(50000);
gc();
post('HeapProfiler.startSampling', { samplingInterval: 32768 });
post('HeapProfiler.stopSampling');
if (process.argv[2] === 'v8') v8.startHeapProfile({ sampleInterval: 32768 });
else post('HeapProfiler.startSampling', { samplingInterval: 32768 });
keep(50000);
gc();
report({ noticed: collect().state });
