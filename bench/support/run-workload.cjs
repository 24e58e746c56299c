'use strict';
// Child process: runs a workload for some seconds under the profiler and prints what its harvests cost.
// usage: run-workload.cjs WORKLOAD SECONDS MAX_OVERHEAD INTERVAL
const memprof = require('../..');

const [name, seconds, maxOverhead, sampleInterval] = process.argv.slice(2);
const workload = require(`../workloads/${name}.cjs`);

async function main() {
  memprof.start({ maxOverhead: Number(maxOverhead), sampleInterval: Number(sampleInterval) });
  const began = performance.now();
  while (performance.now() - began < Number(seconds) * 1000) await workload();
  const cpu = process.cpuUsage();
  // Before stop(), whose own harvest is not one of a collection.
  const status = memprof.status();
  memprof.stop();
  console.log(JSON.stringify({ ...status, processCpuNs: (cpu.user + cpu.system) * 1000 }));
}

main();
