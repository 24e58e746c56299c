'use strict';
// memprof's table beside what one would otherwise take: std::mutex + std::unordered_map, tbb, boost; and beside what no
// table can do without: copying and hashing the key, and two atomic additions, to counts of each thread's own or, as in
// a table, to those of the key, which is compared there. All with the same keys, hash and order of keys, which is Zipf's:
// finding a key that is there and adding to its counts, with one writer and two, alone and beside a reader that
// snapshots without end; inserting; what a snapshot costs; memory. Each figure is the median of all runs. How each is
// measured: table/table_bench.cc. At full size it takes some ten minutes.
// BOOST_INCLUDE names a directory with boost/unordered/concurrent_flat_map.hpp, where the system's Boost is older than 1.83.
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { printTargets, readOptions, writeResults } = require('./support/command.cjs');

const options = readOptions(
  { runs: 5, rounds: 21, operations: 100_000, keys: '1000,10000,100000' },
  { runs: 1, rounds: 3, operations: 50_000, keys: '1000,10000' },
);
const directory = path.join(__dirname, 'table');
const MEMPROF = 'memprof';
const FLOOR = 'copy, hash and two additions';
const SHARED = 'the same, shared, keys compared';
const BOOST = 'boost::concurrent_flat_map';
const MUTEX = 'std::mutex + std::unordered_map';
const STEADY = 1.25; // of two p99.9 that are the same but for noise

function build() {
  try {
    execFileSync('make', ['-s', '-C', directory], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  } catch {
    console.error('The benchmark does not build: it needs make and a C++20 compiler (Debian: g++ make).');
    process.exit(1);
  }
  return path.join(directory, 'out', 'table_bench');
}

/** Of the values that could be measured, which are not negative; undefined where fewer than half could. */
function median(values) {
  const known = values.filter((value) => value >= 0).sort((a, b) => a - b);
  return known.length > 0 && 2 * known.length >= values.length
    ? known[Math.floor((known.length - 1) / 2)]
    : undefined;
}

/** One list of rows for those of all runs: each figure is the median. */
function mediansOf(runs) {
  return runs[0].map((row, i) => {
    const figures = Object.keys(row).filter((name) => typeof row[name] === 'number');
    const medians = figures.map((name) => [name, median(runs.map((rows) => rows[i][name])) ?? -1]);
    return { ...row, ...Object.fromEntries(medians) };
  });
}

/** The targets. A ratio is the median of the runs' ratios. `beside`: the same figure of others, by what they are called. */
function judge(runs) {
  const targets = [];
  for (const key of new Set(runs[0].map((row) => row.key))) {
    const sizes = [...new Set(runs[0].filter((row) => row.key === key).map((row) => row.keys))];
    const check = (what, target, figure, isMet, { digits = 2, beside = {} } = {}) => {
      const medianOf = (each, keys) =>
        median(
          runs.map((rows) => {
            const of = (table) =>
              rows.find((row) => row.key === key && row.table === table && row.keys === keys);
            const value = each(of);
            return Number.isFinite(value) ? value : -1;
          }),
        );
      const figures = sizes.map((keys) => medianOf(figure, keys));
      const shown = (keys, i) => {
        const others = Object.entries(beside)
          .map(([name, each]) => [name, medianOf(each, keys)])
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => `; ${name} ${value.toFixed(digits)}`);
        return `${figures[i]?.toFixed(digits) ?? '?'} (${keys} keys${others.join('')})`;
      };
      const known = figures.filter((each) => each !== undefined);
      targets.push({
        what: `${key}: ${what}`,
        target,
        measured: known.length === 0 ? 'not here' : sizes.map(shown).join(', '),
        met: known.length < sizes.length ? null : figures.every((each, i) => isMet(each, sizes[i])),
      });
    };
    // A figure that could not be measured is negative.
    const ratio = (a, b) => (a >= 0 && b > 0 ? a / b : undefined);
    const ratioTo = (table, figure) => (at) => ratio(at(table)?.[figure], at(MEMPROF)[figure]);
    const steadiness = (table) => (at) => ratio(at(table)?.p999ReadNs, at(table)?.p999Ns);
    const inThatOf = (table, figure) => (at) => ratio(at(MEMPROF)[figure], at(table)?.[figure]);
    check(
      'find and count, in copy, hash and two additions',
      '≤ 1.5, from 100,000 keys on ≤ 2.5',
      (at) => at(MEMPROF).findNs / at(FLOOR).findNs,
      (x, keys) => x <= (keys < 100_000 ? 1.5 : 2.5),
    );
    check(`find and count, times as fast as ${BOOST}`, '≥ 1.2', ratioTo(BOOST, 'findNs'), (x) => x >= 1.2);
    check(`two writers, times as fast as ${BOOST}`, '≥ 1.2', ratioTo(BOOST, 'find2Ns'), (x) => x >= 1.2);
    check(`two writers, times as fast as ${MUTEX}`, '≥ 5', ratioTo(MUTEX, 'find2Ns'), (x) => x >= 5, {
      beside: { 'without a search': (at) => ratio(at(MUTEX)?.find2Ns, at(SHARED).find2Ns) },
    });
    check(`a writer's p99.9, in that of ${BOOST}`, '≤ 1', inThatOf(BOOST, 'p999Ns'), (x) => x <= 1);
    check(
      "a writer's p99.9 beside a reader, in its p99.9 alone",
      `≤ ${STEADY}`,
      steadiness(MEMPROF),
      (x) => x <= STEADY,
      { beside: { 'without a search': steadiness(SHARED), boost: steadiness(BOOST) } },
    );
    check(
      'bytes over the key',
      '≤ 90',
      (at) => at(MEMPROF).bytesOverKey,
      (x) => x <= 90,
      { digits: 0 },
    );
    check(
      'bytes over the key, the most while it grows',
      '≤ 130',
      (at) => at(MEMPROF).peakOverKey,
      (x) => x <= 130,
      { digits: 0 },
    );
    check(
      'snapshot with the places of the keys, ns a key',
      '≤ 10',
      (at) => at(MEMPROF).snapshotNs,
      (x) => x <= 10,
      { digits: 1 },
    );
    check(
      'snapshot with copies of the keys, ns a key',
      '≤ 10',
      (at) => at(MEMPROF).snapshotCopyNs,
      (x) => x <= 10,
      { digits: 1, beside: { 'a bare copy': (at) => at(FLOOR).snapshotCopyNs } },
    );
    check(`insertion, in that of ${BOOST}`, '≤ 1', inThatOf(BOOST, 'insertNs'), (x) => x <= 1);
  }
  return targets;
}

function main() {
  const binary = build();
  const args = [String(options.rounds), String(options.operations), ...options.keys.split(',')];
  const runs = [];
  for (let run = 1; run <= options.runs; ++run) {
    console.log(`Run ${run} of ${options.runs}`);
    runs.push(
      JSON.parse(execFileSync(binary, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })),
    );
  }
  const { rows: _, compiler, ...has } = runs[0];
  const rows = mediansOf(runs.map((run) => run.rows));
  const missing = {};
  if (has.tbb === null) missing.tbb = 'no headers (Debian: libtbb-dev)';
  if (has.boost === null) {
    missing.boost =
      'no concurrent_flat_map: it came with Boost 1.83, Debian 12 has 1.74 and 1.81; name a newer one by BOOST_INCLUDE=DIRECTORY';
  }
  for (const [name, why] of Object.entries(missing)) console.log(`Without ${name}: ${why}`);
  const shown = (value, digits = 1) => (value < 0 ? '-' : value.toFixed(digits));
  console.table(
    rows.map((row) => ({
      key: row.key,
      keys: row.keys,
      table: row.table,
      'find ns': shown(row.findNs),
      '2 writers': shown(row.find2Ns),
      'with reader': shown(row.findReadNs),
      'p99.9': shown(row.p999Ns, 0),
      'p99.9, reader': shown(row.p999ReadNs, 0),
      insert: shown(row.insertNs),
      'snapshot/key': shown(row.snapshotNs),
      'with the key': shown(row.snapshotCopyNs),
      'into new memory': shown(row.snapshotNewNs),
      'B over key': shown(row.bytesOverKey, 0),
      'at most': shown(row.peakOverKey, 0),
    })),
  );
  const targets = judge(runs.map((run) => run.rows));
  printTargets(targets);
  writeResults('table', options, { compiler, libraries: has, missing, rows, targets }, { ofNode: false });
}

main();
