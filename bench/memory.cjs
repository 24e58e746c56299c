'use strict';
// Does a process grow while it allocates and allocates under a profiler? The resident set at every twentieth of the way,
// after a collection, and by how much it rises from a tenth of the way to the end. Every profiler sees the same work; none
// is read meanwhile, but for "read at each step".
const fs = require('node:fs');
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { linePlot } = require('./support/line-plot.cjs');
const { median, random, rise, shuffled } = require('./support/statistics.cjs');
const { titleOf, usable } = require('./profilers/index.cjs');

const MIB = 1024 * 1024;
const STEPS = 20;
const MOST_RISE_MIB = 5;
const FULL_GIGABYTES = 200;
const options = readOptions(
  { gigabytes: FULL_GIGABYTES, runs: 5, interval: 524288, depth: 64 },
  { gigabytes: 0.4, runs: 1 },
);
const { gigabytes, runs, interval, depth } = options;
const NAMES = ['none', 'memprof', 'datadog', 'datadog-alloc', 'google', 'inspector', 'v8-alloc'];

const mib = (bytes) => bytes / MIB;

async function main() {
  const { found, missing } = usable(NAMES);
  const { bytes } = await runProgram('bytes-a-turn', {});
  const turns = Math.max(STEPS, Math.round((gigabytes * 1e9) / bytes));
  const cases = found.map((profiler) => ({ profiler, reading: false }));
  if (found.includes('datadog-alloc')) cases.push({ profiler: 'datadog-alloc', reading: true });
  const measured = new Map(cases.map((each) => [each, []]));
  const next = random(Date.now());
  for (let run = 0; run < runs; run++) {
    for (const each of shuffled(cases, next)) {
      measured.get(each).push(await runProgram('memory', { ...each, turns, steps: STEPS, interval, depth }));
      process.stderr.write(`run ${run + 1} of ${runs}: ${titleOf(each.profiler)}\n`);
    }
  }
  const rows = cases.map((each) => {
    const results = measured.get(each);
    return {
      ...each,
      title: titleOf(each.profiler) + (each.reading ? ', read at each step' : ''),
      // From a tenth of the way: V8's own heap still grows before.
      riseMiB: median(results.map(({ rss }) => mib(rise(rss.slice(STEPS / 10))))),
      lastMiB: median(results.map(({ rss }) => mib(rss.at(-1)))),
      lastReadMs: median(results.map(({ readMs }) => readMs)),
      rssMiB: results[0].rss.map((_, step) =>
        Number(median(results.map(({ rss }) => mib(rss[step]))).toFixed(2)),
      ),
      seconds: median(results.map((result) => result.seconds)),
      ...(results[0].own && { ownMiB: mib(median(results.map(({ own }) => own))) }),
    };
  });
  const own = rows.find((row) => row.profiler === 'memprof');
  const without = rows.find((row) => row.profiler === 'none');
  // Over less than the full way, a rise is held against the target in proportion: V8's own first growth counts more then.
  const fullRise = own.riseMiB * (FULL_GIGABYTES / gigabytes);
  const targets = [
    {
      what: `resident set, rise from ${gigabytes / 10} to ${gigabytes} GB allocated, median of ${runs}`,
      target: `≤ ${MOST_RISE_MIB} MiB from ${FULL_GIGABYTES / 10} to ${FULL_GIGABYTES} GB, median of 5`,
      measured:
        `${own.riseMiB.toFixed(2)} MiB, in proportion ${fullRise.toFixed(1)} MiB ` +
        `(without a profiler ${without.riseMiB.toFixed(2)} MiB)`,
      met: fullRise <= MOST_RISE_MIB,
    },
  ];
  console.table(
    rows.map((row) => ({
      profiler: row.title,
      'rise MiB': row.riseMiB.toFixed(2),
      'RSS at the end MiB': row.lastMiB.toFixed(1),
      'last read ms': row.lastReadMs.toFixed(1),
      seconds: row.seconds.toFixed(1),
    })),
  );
  printTargets(targets);
  const file = writeResults('memory', options, { missing, bytesATurn: bytes, turns, rows, targets });
  const plot = linePlot({
    title: 'Resident set while allocating',
    xTitle: 'GB allocated',
    yTitle: 'MiB',
    series: rows.map(({ title, rssMiB }) => ({
      name: title,
      points: rssMiB.map((value, step) => [((step + 1) / STEPS) * gigabytes, value]),
    })),
  });
  fs.writeFileSync(file.replace(/json$/, 'svg'), plot);
}

main();
