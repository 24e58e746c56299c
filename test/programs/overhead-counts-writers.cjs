'use strict';
// Writes profiles on a thread that is profiled, and on one that is not, and tells what status() says they took.
// usage: node overhead-counts-writers.cjs WORKER: 'profiled', or 'not' where a worker keeps the records alive
const { Writable } = require('node:stream');
const { isMainThread, Worker } = require('node:worker_threads');
const memprof = require('../../dist');

/** Many stacks, so that a profile takes a while to write. */
function fill() {
  const kept = [];
  for (let i = 0; i < 400; i++) {
    const make = new Function(
      'keep',
      `function at${i}(d) { if (d > 0) return at${i}(d - 1); keep.push(new Array(2000).fill(d)); }
      for (let d = 0; d < 12; d++) at${i}(d);`,
    );
    make(kept);
  }
  return kept;
}

const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });

const cpuNs = ({ user, system }) => (user + system) * 1000;

async function measure(write) {
  const before = memprof.status().internal;
  const cpu = process.cpuUsage();
  for (let i = 0; i < 10; i++) await write();
  const all = cpuNs(process.cpuUsage(cpu));
  const after = memprof.status().internal;
  return {
    all,
    written: after.writeCpuNs - before.writeCpuNs,
    harvested: after.harvestCpuNs + after.readCpuNs - before.harvestCpuNs - before.readCpuNs,
  };
}

async function main(profiled) {
  const figures = {};
  if (profiled) {
    memprof.start({ sampleInterval: 8192 });
    figures.kept = fill().length;
  } else {
    const worker = new Worker(__filename);
    await new Promise((resolve) => worker.once('message', resolve));
    figures.worker = worker;
  }
  const profile = memprof.lookup('heap');
  const options = { sourceMaps: false };
  const report = {
    records: profile.count(),
    text: await measure(() => profile.writeTo(sink(), 1, options)),
    folded: await measure(() => profile.writeTo(sink(), 0, { ...options, format: 'folded' })),
    proto: await measure(() => profile.writeTo(sink(), 0, options)),
    mapped: await measure(() => profile.writeTo(sink(), 1, { sourceMaps: true })),
  };
  const { overhead, internal } = memprof.status();
  console.log(
    JSON.stringify({
      ...report,
      source: memprof.status().heap.source,
      overhead,
      internal,
    }),
  );
  process.exit(0);
}

if (isMainThread) {
  main(process.argv[2] === 'profiled');
} else {
  memprof.start({ sampleInterval: 8192 });
  const kept = fill();
  memprof.readRecords(true); // the first reading publishes them
  require('node:worker_threads').parentPort.postMessage(kept.length);
  setInterval(() => kept.length, 1000);
}
