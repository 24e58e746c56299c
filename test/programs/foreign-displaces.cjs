'use strict';
// Somebody else stops memprof's sampler behind its back and samples for a while. "v8": with v8.startHeapProfile.
const v8 = require('node:v8');
const inspector = require('node:inspector');
const memprof = require('../../dist');
const { collect, report, figuresOf } = require('./support/report.cjs');

const session = new inspector.Session();
session.connect();
const post = (method, params) =>
  new Promise((resolve, reject) =>
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))),
  );
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const warnings = [];
process.on('warning', (warning) => warnings.push(warning.code));

const kept = [];
function keepOld(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}
function keepNew(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}

async function untilRunning() {
  const began = performance.now();
  while (memprof.status().state !== 'running' && performance.now() - began < 20000) await sleep(50);
  return (performance.now() - began) / 1000;
}

async function main() {
  memprof.start({ sampleInterval: 4096 });
  keepOld(50000);
  gc();
  const before = figuresOf('keepOld');

  // Their stop ends our sampler: V8 has one. Nothing tells us until the next collection.
  await post('HeapProfiler.startSampling', { samplingInterval: 32768 });
  await post('HeapProfiler.stopSampling');
  const unnoticed = memprof.status().state;
  let theirs;
  if (process.argv[2] === 'v8') theirs = v8.startHeapProfile({ sampleInterval: 32768 });
  else await post('HeapProfiler.startSampling', { samplingInterval: 32768 });
  keepOld(10000);
  gc();
  const noticed = collect();
  const displaced = figuresOf('keepOld');
  await sleep(100);

  // While they sample we keep away, however often we try.
  for (let i = 0; i < 5; i++) {
    keepOld(2000);
    gc();
    await sleep(i === 4 ? 5200 : 20);
  }
  const meanwhile = memprof.status().state;
  let theirSamples;
  if (theirs !== undefined) {
    theirSamples = JSON.parse(theirs.stop()).samples.length;
  } else {
    theirSamples = (await post('HeapProfiler.getSamplingProfile')).profile.samples.length;
    await post('HeapProfiler.stopSampling');
  }
  const resumedAfter = await untilRunning();
  keepNew(50000);
  gc();
  const after = { keepOld: figuresOf('keepOld'), keepNew: figuresOf('keepNew') };
  const {
    heap: { displaced: times },
    state,
  } = memprof.status();

  // A second time: no second warning, and since nobody samples, we are back at once.
  await post('HeapProfiler.startSampling');
  await post('HeapProfiler.stopSampling');
  gc();
  const second = memprof.status().state;
  await sleep(100);
  const afterSecond = { state: memprof.status().state, keepNew: figuresOf('keepNew') };
  memprof.stop();
  report({
    before,
    unnoticed,
    noticed,
    displaced,
    meanwhile,
    theirSamples,
    resumedAfter,
    after,
    times,
    stateAfter: state,
    second,
    afterSecond,
    warnings,
  });
}

main();
