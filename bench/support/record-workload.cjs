'use strict';
// Child process: runs a workload until enough samples were taken, recording every harvest.
// usage: record-workload.cjs WORKLOAD FILE INTERVAL SAMPLES
const memprof = require('../..');
const { native } = require('../../dist/addon/native.js');

const [name, file, interval, samples] = process.argv.slice(2);
const workload = require(`../workloads/${name}.cjs`);

async function main() {
  memprof.start({ sampleInterval: Number(interval) });
  if (!native().record(file)) throw new Error(`cannot write ${file}`);
  while (memprof.status().heap.samplesSeen < Number(samples)) await workload();
  native().record();
  console.log(JSON.stringify(memprof.status()));
}

main();
