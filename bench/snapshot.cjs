'use strict';
// What a profile costs the program: how long the calling thread is busy with it and how long it takes in all, to a gzipped
// proto in memory (Node's own: gzipped JSON), on heaps of so many live samples, nearly each with a stack of its own. And
// reading memprof's records alone, without writing them. "By its HTTP thread" is a profile fetched from memprof/http's
// serve(), which writes it in a thread of its own: busy is still the profiled thread. Each run is a fresh process; order is random.
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { bootstrapMedian, median, random, shuffled } = require('./support/statistics.cjs');
const { profilers, titleOf, usable } = require('./profilers/index.cjs');

// A small interval, so that 10,000 live samples are a heap of 80 MB and not of 5 GB: for in-use profiles its size does not
// matter, and it makes the forced garbage collection of allocation mode cheaper than it would be.
const options = readOptions(
  { runs: 11, interval: 8192, depth: 64, samples: '100,1000,10000' },
  { runs: 1, samples: '100,1000' },
);
const { runs, interval, depth } = options;
const NAMES = ['memprof', 'memprof-http', 'datadog', 'datadog-alloc', 'google', 'inspector', 'v8-alloc'];
const MEM_PROFILE_MS = 2;
const MEM_PROFILE_BUCKETS = 10_000;

function judge(rows, sizes) {
  const targets = [];
  const of = (name, samples) => rows.find((row) => row.profiler === name && row.samples === samples);
  const against = [
    ['datadog', 1 / 10],
    ['datadog-alloc', 1 / 50],
  ];
  for (const own of ['memprof', 'memprof-http']) {
    for (const [peer, share] of against) {
      for (const samples of sizes) {
        const other = of(peer, samples);
        const ratio = other && of(own, samples).blockedMs.median / other.blockedMs.median;
        targets.push({
          what: `${profilers[own].label}: thread blocked, ${samples} samples, beside ${titleOf(peer)}`,
          target: `≤ ${share}`,
          measured: other ? ratio.toFixed(3) : `no ${titleOf(peer)} here`,
          met: other ? ratio <= share : null,
        });
      }
    }
  }
  const most = of('memprof', Math.max(...sizes));
  const enough = most.records >= MEM_PROFILE_BUCKETS;
  targets.push({
    what: `MemProfile alone, ${most.records} buckets`,
    target: `≤ ${MEM_PROFILE_MS} ms for ${MEM_PROFILE_BUCKETS}`,
    measured: `${most.memProfileMs.toFixed(2)} ms`,
    met: enough ? most.memProfileMs <= MEM_PROFILE_MS : null,
  });
  return targets;
}

async function main() {
  const { found, missing } = usable(NAMES);
  const sizes = options.samples.split(',').map(Number);
  const next = random(Date.now());
  const measured = new Map();
  for (let run = 0; run < runs; run++) {
    for (const samples of sizes) {
      for (const profiler of shuffled(found, next)) {
        const key = `${profiler} ${samples}`;
        const args = {
          profiler,
          samples,
          buckets: samples >= MEM_PROFILE_BUCKETS ? MEM_PROFILE_BUCKETS : 0,
          interval,
          depth,
          seed: run + 1,
        };
        const result = await runProgram('snapshot', args, { flags: ['--expose-gc'] });
        measured.set(key, [...(measured.get(key) ?? []), result]);
      }
    }
    process.stderr.write(`run ${run + 1} of ${runs}\n`);
  }
  const rows = [];
  for (const samples of sizes) {
    for (const profiler of found) {
      const results = measured.get(`${profiler} ${samples}`);
      const middle = (figure) => median(results.map(figure));
      rows.push({
        samples,
        profiler,
        gives: profilers[profiler].gives,
        blockedMs: bootstrapMedian(results.map((each) => each.blockedMs)),
        totalMs: bootstrapMedian(results.map((each) => each.totalMs)),
        bytes: middle((each) => each.bytes),
        heapBytes: middle((each) => each.heapBytes),
        ...(profiler === 'memprof' && {
          memProfileMs: middle((each) => each.memProfileMs),
          records: middle((each) => each.records),
          samplesLive: middle((each) => each.samplesLive),
        }),
      });
    }
  }
  const targets = judge(rows, sizes);
  console.table(
    rows.map((row) => ({
      samples: row.samples,
      profiler: titleOf(row.profiler),
      'blocked ms': row.blockedMs.median.toFixed(2),
      'total ms': row.totalMs.median.toFixed(2),
      bytes: row.bytes,
      'MemProfile ms': row.memProfileMs?.toFixed(2) ?? '',
      records: row.records ?? '',
    })),
  );
  printTargets(targets);
  writeResults('snapshot', options, { missing, rows, targets });
}

main();
