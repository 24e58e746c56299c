'use strict';
// Somebody else stops memprof's sampler *and* starts another between two collections, so that there is always a sampler
// to be asked. Arguments: rounds.
const inspector = require('node:inspector');
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const rounds = Number(process.argv[2]);
const session = new inspector.Session();
session.connect();
const post = (method, params) =>
  new Promise((resolve, reject) =>
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))),
  );
process.on('warning', () => {});

const INTERVAL = 16384;
const kept = [];
function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}
function foreignKeep(n) {
  const made = [];
  for (let i = 0; i < n; i++) made.push({ i, text: [i] });
  return made;
}
function churn(n) {
  let last;
  for (let i = 0; i < n; i++) last = { i, text: [`a${i}`, last === undefined] };
  return last;
}

async function main() {
  const results = [];
  const intervals = [INTERVAL * 32, INTERVAL * 4, INTERVAL, INTERVAL / 4, INTERVAL / 16];
  for (let round = 0; round < rounds; round++) {
    memprof.start({ sampleInterval: INTERVAL });
    kept.length = 0; // a heap that grows with every round makes collections longer and longer
    keep(10000 + 1000 * (round % 20));
    churn(20000);
    gc();
    keep(5000);
    const before = figuresOf('keep').inUse;
    const params = { samplingInterval: intervals[round % intervals.length] };
    // What theirs remembers of the dead makes it show more samples than are alive.
    if (round % 4 === 3)
      Object.assign(params, {
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
    await post('HeapProfiler.stopSampling');
    await post('HeapProfiler.startSampling', params);
    const theirs = foreignKeep(round % 2 === 0 ? 2000 : 60000);
    // Noticed at the next collection that is looked at; a few more are allowed where the two look alike at first.
    let collections = 0;
    do {
      churn(5000);
      gc();
      collections++;
    } while (memprof.status().state === 'running' && collections < 8);
    const noticed = memprof.status().state === 'displaced';
    const inUseAfter = figuresOf('keep').inUse;
    const foreignAlloc = figuresOf('foreignKeep').alloc;
    // Fails when there is no sampler any more.
    const theirsFails = await post('HeapProfiler.getSamplingProfile').then(
      () => false,
      () => true,
    );
    results.push({ round, ...params, noticed, collections, before, inUseAfter, foreignAlloc, theirsFails });
    await post('HeapProfiler.stopSampling');
    if (theirs.length === 0) throw new Error('not reached');
    // A miss would show up in all later rounds.
    if (!noticed) memprof.stop();
  }
  memprof.start();
  keep(20000);
  gc();
  const inUse = figuresOf('keep').inUse;
  memprof.stop();
  report({ results, inUse });
}

main();
