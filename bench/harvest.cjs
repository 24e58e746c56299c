'use strict';
// What a harvest costs, and how much of that is V8's own translation; what reading all records costs. Every garbage
// collection is harvested here, whatever it costs. usage: harvest.cjs [SECONDS]
const { spawnSync } = require('node:child_process');
const memprof = require('..');

const seconds = Number(process.argv[2] ?? 10);
const INTERVALS = [512 * 1024, 128 * 1024];

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

async function measure(name, interval) {
  const workload = require(`./workloads/${name}.cjs`);
  memprof.start({ sampleInterval: interval, maxOverhead: 1, maxPause: 1000 });
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) await workload();
  const reads = [];
  let records = 0;
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    records = memprof.readRecords(true).length;
    reads.push(performance.now() - began);
  }
  const status = memprof.status();
  const each = (ns) => Number((ns / status.heap.harvests / 1e6).toFixed(3));
  const cpu = status.internal.harvestCpuNs + status.internal.readCpuNs;
  return {
    workload: name,
    interval,
    harvests: status.heap.harvests,
    'ms each': each(cpu),
    'of it V8': each(status.internal.translateCpuNs),
    'whole / V8': Number((cpu / status.internal.translateCpuNs).toFixed(2)),
    'longest ms': Number((status.heap.longestPauseNs / 1e6).toFixed(1)),
    'tree nodes': status.internal.treeNodes,
    overhead: `${(100 * status.overhead.total).toFixed(2)} %`,
    records,
    'read ms': Number(median(reads).toFixed(3)),
  };
}

async function main() {
  if (process.env.MEMPROF_TEST_BENCH_CHILD !== undefined) {
    const [name, interval] = process.env.MEMPROF_TEST_BENCH_CHILD.split(' ');
    console.log(JSON.stringify(await measure(name, Number(interval))));
    return;
  }
  const rows = [];
  for (const name of ['server', 'compiler']) {
    for (const interval of INTERVALS) {
      const env = { ...process.env, MEMPROF_TEST_BENCH_CHILD: `${name} ${interval}` };
      const child = spawnSync(process.execPath, [__filename, String(seconds)], { env, encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      rows.push(JSON.parse(child.stdout));
    }
  }
  console.table(rows);
}

main();
