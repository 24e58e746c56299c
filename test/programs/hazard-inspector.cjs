'use strict';
// Heap snapshots and a CPU profile are taken while the heap is profiled. Arguments: rounds.
const inspector = require('node:inspector');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const rounds = Number(process.argv[2]);
const session = new inspector.Session();
session.connect();
const post = (method, params) =>
  new Promise((resolve, reject) =>
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))),
  );

const kept = [];
function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: [i] });
}

async function main() {
  memprof.start({ sampleInterval: 8192 });
  await post('Profiler.enable');
  await post('HeapProfiler.enable');
  await post('Debugger.enable');
  let chunkBytes = 0;
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => {
    chunkBytes += params.chunk.length;
  });
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-snapshot-'));
  let profileNodes = 0;
  let fileBytes = 0;
  try {
    for (let i = 0; i < rounds; i++) {
      await post('Profiler.start');
      await post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: i % 2 === 0 });
      keep(20000);
      await post('HeapProfiler.takeHeapSnapshot');
      keep(5000);
      const file = v8.writeHeapSnapshot(path.join(directory, `${i}.heapsnapshot`));
      fileBytes += fs.statSync(file).size;
      fs.rmSync(file);
      await post('HeapProfiler.collectGarbage');
      memprof.readRecords(true);
      await post('HeapProfiler.stopTrackingHeapObjects');
      const { profile } = await post('Profiler.stop');
      profileNodes += profile.nodes.length;
    }
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
  gc();
  const figures = figuresOf('keep');
  const {
    state,
    heap: { displaced },
  } = memprof.status();
  memprof.stop();
  report({ figures, stateBefore: state, displaced, chunkBytes, fileBytes, profileNodes });
}

main();
