'use strict';
// Somebody else samples before memprof does: they are left in peace.
const inspector = require('node:inspector');
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const session = new inspector.Session();
session.connect();
const post = (method, params) =>
  new Promise((resolve, reject) =>
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))),
  );

let kept = [];
function allocate() {
  for (let i = 0; i < 20000; i++) kept.push({ i, text: [i] });
}

async function main() {
  await post('HeapProfiler.startSampling', { samplingInterval: 4096 });
  allocate();
  const codes = [];
  for (let i = 0; i < 3; i++) {
    try {
      memprof.start({ sampleInterval: 8192 });
      codes.push('started');
    } catch (error) {
      codes.push(error.code);
    }
  }
  const { state } = memprof.status();
  memprof.stop();
  allocate();
  gc();
  const theirs = (await post('HeapProfiler.getSamplingProfile')).profile.samples.length;
  await post('HeapProfiler.stopSampling');
  kept = [];
  memprof.start({ sampleInterval: 8192 });
  allocate();
  gc();
  memprof.stop();
  report({ codes, stateWhenBusy: state, theirs });
}

main();
