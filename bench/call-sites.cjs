'use strict';
// What the lines of calls (`callSites`) give and cost, for three programs: the share of samples that have a line, what the
// program pays, and the memory of it all. The program runs by turns without memprof's lines and with them.
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { median } = require('./support/statistics.cjs');

const options = readOptions(
  // An interval and a depth of 0 are the usual ones.
  { rounds: 2, seconds: 40, interval: 0, depth: 0, workloads: 'compiler,bundler,server' },
  { rounds: 1, seconds: 5, workloads: 'server' },
);
const { rounds, seconds, interval, depth } = options;
const WORKLOADS = options.workloads.split(',').filter((each) => each !== '');
const LEAST_SHARE = 0.95;

const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`;
const mb = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const of = (runs, figure) => median(runs.map(figure));

/** The share of the samples of those rounds. */
function share(runs, field) {
  const sum = (name) => runs.reduce((all, { callSites }) => all + callSites[name], 0);
  return sum(field) / sum('samples');
}

async function main() {
  const results = {};
  for (const workload of WORKLOADS) results[workload] = { without: [], lines: [] };
  for (let round = 0; round < rounds; round++) {
    for (const workload of WORKLOADS) {
      for (const way of ['without', 'lines']) {
        results[workload][way].push(
          await runProgram('call-sites', { way, workload, seconds, interval, depth }),
        );
      }
    }
  }
  const rows = {};
  const targets = [];
  for (const [workload, { without, lines }] of Object.entries(results)) {
    const problem = lines.find(({ callSites }) => callSites.problem !== null)?.callSites.problem;
    const cpu = (runs) => of(runs, (run) => run.programMs / run.turns);
    const withLines = share(lines, 'withLines');
    rows[workload] = {
      samples: of(lines, (run) => run.callSites.samples),
      'interval at the end': `${of(lines, (run) => run.interval)} (${of(without, (run) => run.interval)} without)`,
      'with lines': problem ?? percent(withLines),
      'no line known': percent(share(lines, 'unknown')),
      unfit: percent(share(lines, 'unfit')),
      skipped: percent(share(lines, 'skipped')),
      'overhead.total': `${percent(of(lines, (run) => run.overhead.total))} (${percent(of(without, (run) => run.overhead.total))} without)`,
      'start, ms': of(lines, (run) => run.startMs).toFixed(0),
      'CPU of the work': `${(100 * (cpu(lines) / cpu(without) - 1)).toFixed(1)} % more`,
      'resident memory': `${mb(of(lines, (run) => run.rss) - of(without, (run) => run.rss))} more`,
      'longest pause, ms': of(lines, (run) => run.longestPauseMs).toFixed(1),
    };
    targets.push({
      what: `${workload}: samples with lines`,
      target: `>= ${percent(LEAST_SHARE, 0)}`,
      measured: problem ?? percent(withLines),
      met: problem === undefined ? withLines >= LEAST_SHARE : null,
    });
  }
  console.log(`\nNode.js ${process.versions.node}, ${seconds} s each, interval ${interval || 'as usual'}`);
  for (const [workload, row] of Object.entries(rows)) {
    console.log(`\n${workload}`);
    for (const [name, value] of Object.entries(row)) console.log(`  ${name.padEnd(20)} ${value}`);
  }
  printTargets(targets);
  writeResults('call-sites', options, { results, targets });
}

main();
