'use strict';
// The tables of docs/benchmarks.md, from the committed results. Prints them; --write puts them into that page, --check
// says whether it has them as they are.
const fs = require('node:fs');
const path = require('node:path');
const { profilers, titleOf } = require('./profilers/index.cjs');

const LINE = 'node-26';
const BEGIN = '<!-- begin: node bench/doc-tables.cjs --write -->';
const END = '<!-- end -->';
const page = path.join(__dirname, '..', 'docs', 'benchmarks.md');

function readResults(name, line = LINE) {
  return JSON.parse(fs.readFileSync(path.join(__dirname, 'results', line, `${name}.json`), 'utf8'));
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

const KIB = 1024;
const kib = (size) =>
  size < KIB ? `${size} B` : size < KIB * KIB ? `${size / KIB} KiB` : `${size / KIB / KIB} MiB`;
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const interval = ({ median, low, high }, digits) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)} … ${high.toFixed(digits)})`;
const unique = (values) => [...new Set(values)];
const missingOf = ({ missing }) =>
  Object.entries(missing).map(
    ([name, why]) => `Not measured: ${name in profilers ? titleOf(name) : name} (${why}).`,
  );

function machine({ machine: { date, cpu, cores, memoryGiB, kernel, node, packages, loadBefore } }) {
  const versions = ['@datadog/pprof', 'pprof', 'webpack', 'fastify', 'autocannon'].map(
    (each) => `${each} ${packages[each]}`,
  );
  return `${date.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, Node.js ${node}; ${versions.join(', ')}; load average before the first run ${loadBefore}.`;
}

/** The widest interval of the run without a profiler against itself, over the workloads. */
function noiseOf(comparisons) {
  const same = comparisons.filter((row) => row.profiler === 'none-again');
  return Math.max(...same.map(({ cpuRatio: { low, high } }) => high - low));
}

function overheadTables({ scale, settings, comparisons, meters, ...rest }) {
  return [
    '## Overhead',
    `\`npm run bench:overhead\` (${settings.rounds} rounds; ${scale}). CPU time from outside is not shown: against itself the run without a profiler differs by up to ${noiseOf(comparisons).toFixed(2)}, which is wider than any difference between the profilers.`,
    ...missingOf(rest),
    `memprof's own thread-CPU meter, ${settings.seconds} s a program:`,
    table(
      [
        '',
        'own CPU',
        'of it V8',
        'share of CPU',
        'share of wall time',
        'collections read',
        'left out',
        'longest pause',
      ],
      meters.map((row) => [
        row.workload,
        `${row.ownMs.toFixed(0)} ms`,
        `${row.translateMs.toFixed(0)} ms`,
        percent(row.share, 2),
        percent(row.ownMs / 1000 / row.seconds, 2),
        row.harvests,
        row.skippedGCs,
        `${row.longestPauseMs.toFixed(1)} ms`,
      ]),
    ),
  ];
}

function snapshotTable({ scale, rows, settings, ...rest }) {
  const sizes = unique(rows.map((row) => row.samples));
  const of = (profiler, samples) => rows.find((row) => row.profiler === profiler && row.samples === samples);
  const most = of('memprof', Math.max(...sizes));
  return [
    '## Snapshot',
    `\`npm run bench:snapshot\` (${settings.runs} runs; ${scale}): milliseconds the profiled thread is busy with a profile, by live samples, nearly each with a stack of its own; then all the time it takes to the gzipped profile.`,
    table(
      ['', ...sizes.map((each) => `${each}`), `in all, ${Math.max(...sizes)}`],
      unique(rows.map((row) => row.profiler)).map((name) => [
        titleOf(name),
        ...sizes.map((samples) => of(name, samples).blockedMs.median.toFixed(1)),
        of(name, Math.max(...sizes)).totalMs.median.toFixed(1),
      ]),
    ),
    `\`MemProfile\` alone: ${most.memProfileMs.toFixed(2)} ms for ${most.records} records.`,
    ...missingOf(rest),
  ];
}

function accuracyTable({ scale, sizes, split, settings, ...rest }) {
  const names = Object.keys(sizes[0].errors);
  const signed = (share) => (share < 0 ? '−' : '+') + percent(Math.abs(share));
  return [
    '## Accuracy',
    `\`npm run bench:accuracy\` (${scale}): error of the allocated bytes by object size (256 KiB to 1 MiB: median of ${settings.sizeruns} runs, then the worst), at ${kib(settings.interval)} an interval; and the distance of the split of a program's bytes over its functions from that of the same run with every allocation sampled by V8 (0 the same, 1 nothing in common; ${kib(settings.splitinterval)} an interval).`,
    table(
      ['', ...names.map(titleOf), 'σ of sampling'],
      [
        ...sizes.map(({ size, count, runs, sigma, errors, worst }) => [
          `${kib(size)} × ${count}`,
          ...names.map((name) => signed(errors[name]) + (runs > 1 ? `, ${signed(worst[name])}` : '')),
          percent(sigma),
        ]),
        [
          'distance of the split',
          ...names.map((name) => split.rows.find((row) => row.profiler === name).distance.toFixed(3)),
          `${split.rows[0].distance.toFixed(3)} (the same run again)`,
        ],
      ],
    ),
    '![error by object size](../bench/results/node-26/accuracy.svg)',
    ...missingOf(rest),
  ];
}

function memoryTable({ scale, settings, rows, ...rest }) {
  return [
    '## Memory',
    `\`npm run bench:memory\` (${settings.gigabytes} GB allocated; ${scale}): the resident set, its rise over the last nine tenths of the way, and the time of a read at the end.`,
    table(
      ['', 'rise', 'at the end', 'last read'],
      rows.map((row) => [
        row.title,
        `${row.riseMiB.toFixed(1)} MiB`,
        `${row.lastMiB.toFixed(1)} MiB`,
        row.profiler === 'none' ? '' : `${row.lastReadMs.toFixed(1)} ms`,
      ]),
    ),
    '![resident set while allocating](../bench/results/node-26/memory.svg)',
    ...missingOf(rest),
  ];
}

function startupTable({ scale, settings, rows, ...rest }) {
  return [
    '## Startup',
    `\`npm run bench:startup\` (${settings.runs} runs; ${scale}), in milliseconds.`,
    table(
      ['', '`require`', 'start', 'both'],
      rows.map((row) => [
        titleOf(row.profiler),
        interval(row.requireMs, 1),
        interval(row.startMs, 2),
        row.bothMs.median.toFixed(1),
      ]),
    ),
    ...missingOf(rest),
  ];
}

function tablesTable({ scale, settings, rows, ...rest }) {
  const shown = (value, digits = 0) => (value === undefined || value < 0 ? '–' : value.toFixed(digits));
  return [
    '## Tables',
    `\`npm run bench:table\` (${settings.rounds} rounds a run, ${settings.runs ?? 1} runs; ${scale}): nanoseconds to find a key and count, by one writer, by two, and by one beside a reader; a writer's p99.9, alone and beside a reader; nanoseconds of an insertion, and a key of a snapshot: without a copy of the key, with one, and with one into memory that has no pages yet; bytes a key takes over its own, and the most while the table grows.`,
    table(
      [
        '',
        'keys',
        '1',
        '2',
        '1 + reader',
        'p99.9',
        '+ reader',
        'insertion',
        'snapshot',
        '+ key',
        'new pages',
        'bytes',
        'at most',
      ],
      rows.map((row) => [
        `${row.key}: ${row.table}`,
        row.keys,
        shown(row.findNs, 1),
        shown(row.find2Ns, 1),
        shown(row.findReadNs, 1),
        shown(row.p999Ns),
        shown(row.p999ReadNs),
        shown(row.insertNs, 1),
        shown(row.snapshotNs, 1),
        shown(row.snapshotCopyNs, 1),
        shown(row.snapshotNewNs, 1),
        shown(row.bytesOverKey),
        shown(row.peakOverKey),
      ]),
    ),
    ...missingOf(rest),
  ];
}

// --- The targets ---------------------------------------------------------------------------------------------------

/** Why these results cannot say whether a target was met; undefined if they can. */
function whyNotShown(what, { overhead, memory, tables }) {
  const bands = (key, all) => {
    const ratios = overhead.comparisons
      .filter((row) => row.profiler === 'none-again' && (all || what.includes(`, ${row.workload}`)))
      .map((row) => row[key]);
    const known = ratios.filter((ratio) => ratio !== undefined);
    const [low, high] = [
      Math.min(...known.map((ratio) => ratio.low)),
      Math.max(...known.map((ratio) => ratio.high)),
    ];
    return `no profiler, against itself: ${low.toFixed(2)} … ${high.toFixed(2)}`;
  };
  if (/^CPU, /.test(what)) return bands('cpuRatio', what === 'CPU, all');
  if (/^p99 latency/.test(what)) return bands('p99Ratio', true);
  if (/a writer's p99\.9/.test(what)) return 'the scheduler decides it on two cores';
  if (/two writers/.test(what) && !writersMeet(tables, what)) {
    return 'the writers ran one after the other: even the mutex cost nothing';
  }
  if (/^resident set/.test(what)) {
    const none = memory.rows.find((row) => row.profiler === 'none');
    if (Math.abs(none.riseMiB) > RSS_TARGET_MIB) {
      return `without a profiler it moved by ${none.riseMiB.toFixed(1)} MiB`;
    }
  }
  return undefined;
}

const RSS_TARGET_MIB = 5;

/** Whether two writers hindered each other behind a mutex, with each number of keys: else they did not run together. */
function writersMeet(tables, what) {
  const mutex = tables.rows.filter((row) => what.startsWith(`${row.key}:`) && /mutex/.test(row.table));
  return mutex.every((row) => row.find2Ns > 1.25 * row.findNs);
}

function verdict({ what, met }, results) {
  if (met === null) return 'not measured';
  const why = whyNotShown(what, results);
  if (why !== undefined) return `not shown (${why})`;
  return met ? 'met' : 'missed';
}

function targetsTable(results) {
  const targets = Object.values(results).flatMap((result) => result.targets);
  const verdicts = targets.map((target) => verdict(target, results));
  const count = (word) => verdicts.filter((each) => each.startsWith(word)).length;
  return [
    '## Targets',
    `What memprof set itself: ${count('met')} met, ${count('missed')} missed, ${count('not shown')} not shown, because this machine cannot tell.`,
    table(
      ['', 'target', 'measured', ''],
      targets.map(({ what, target, measured }, at) => [what, target, measured, verdicts[at]]),
    ),
  ];
}

// --- What a user pays ----------------------------------------------------------------------------------------------

function costTable({ overhead, snapshot, memory, startup }) {
  const range = (values, show) => `${show(Math.min(...values))} to ${show(Math.max(...values))}`;
  const { meters } = overhead;
  const shares = meters.map((row) => row.ownMs / 1000 / row.seconds);
  const rss = (name) => memory.rows.find((row) => row.profiler === name).lastMiB;
  const { requireMs, startMs } = startup.rows.find((row) => row.profiler === 'memprof');
  const busy = (name, samples) =>
    snapshot.rows.find((row) => row.profiler === name && row.samples === samples).blockedMs.median;
  return [
    '## What it costs',
    table(
      ['', 'limit', 'measured'],
      [
        [
          'CPU time for reading samples, share of wall time',
          '0.5 % (`maxOverhead`), after the first 100 ms',
          `${range(shares, (share) => percent(share, 2))} of a busy minute, the first 100 ms included`,
        ],
        [
          'CPU time of the program, all in all',
          'no limit',
          `not shown: smaller than the noise (${whyNotShown('CPU, all', { overhead })})`,
        ],
        [
          'longest pause added to a garbage collection',
          '20 ms (`maxPause`) at a minor one, 100 ms at a major one',
          range(
            meters.map((row) => row.longestPauseMs),
            (ms) => `${ms.toFixed(1)} ms`,
          ),
        ],
        [
          'memory',
          '32 MiB for the tables (`maxTableBytes`)',
          `${rss('memprof').toFixed(0)} MiB resident beside ${rss('none').toFixed(0)} MiB without a profiler, after ${memory.settings.gigabytes} GB allocated`,
        ],
        [
          'start of the program',
          'no limit',
          `\`require\` ${requireMs.median.toFixed(1)} ms, \`start()\` ${startMs.median.toFixed(1)} ms`,
        ],
        [
          'a profile of 1,000 or 10,000 live samples: the thread is busy',
          'no limit',
          `${busy('memprof', 1000).toFixed(1)} or ${busy('memprof', 10000).toFixed(1)} ms; over HTTP ${busy('memprof-http', 1000).toFixed(1)} or ${busy('memprof-http', 10000).toFixed(1)} ms`,
        ],
      ],
    ),
  ];
}

function markdown() {
  const names = ['overhead', 'snapshot', 'accuracy', 'memory', 'startup'];
  const results = Object.fromEntries(names.map((name) => [name, readResults(name)]));
  const { overhead, snapshot, accuracy, memory, startup } = results;
  results.tables = readResults('table', '');
  return [
    machine(overhead),
    ...costTable(results),
    ...targetsTable(results),
    ...overheadTables(overhead),
    ...snapshotTable(snapshot),
    ...accuracyTable(accuracy),
    ...memoryTable(memory),
    ...startupTable(startup),
    ...tablesTable(results.tables),
  ].join('\n\n');
}

function main(mode) {
  const generated = `${BEGIN}\n\n${markdown()}\n\n${END}`;
  if (mode === undefined) {
    console.log(generated);
    return;
  }
  const text = fs.readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/benchmarks.md has no ${BEGIN} … ${END}`);
  const wanted = text.slice(0, begin) + generated + text.slice(end + END.length);
  if (mode === '--write') fs.writeFileSync(page, wanted);
  else if (mode !== '--check') throw new Error('usage: doc-tables.cjs [--write | --check]');
  else if (wanted !== text) {
    console.error('docs/benchmarks.md differs from the results: run node bench/doc-tables.cjs --write');
    process.exitCode = 1;
  }
}

main(process.argv[2]);
