'use strict';
// Samples that memprof takes itself (`directSamples`) beside V8's, for three programs: what is lost, what it costs, the
// longest pause; a sample beside V8's own work for it, in one run in which both take each sample by turns; and what a
// collection costs by the number of live samples.
const { printTargets, readOptions, runProgram, writeResults } = require('./support/command.cjs');
const { median } = require('./support/statistics.cjs');

const options = readOptions(
  {
    rounds: 1,
    seconds: 60,
    interval: 524288,
    depth: 64,
    workloads: 'compiler,bundler,server',
    ways: 'direct,both,public',
    live: '1000,10000,100000',
  },
  { seconds: 3, workloads: 'server', live: '1000' },
);
const { rounds, seconds, interval, depth } = options;
const list = (text) => text.split(',').filter((each) => each !== '');
const WORKLOADS = list(options.workloads);
const WAYS = list(options.ways);
const LIVE = list(options.live).map(Number);

const percent = (share, digits = 3) => `${(100 * share).toFixed(digits)} %`;
const of = (runs, figure) => median(runs.map(figure));

function target(what, limit, values, format) {
  const measured = values.length === 0 ? undefined : Math.max(...values);
  return {
    what,
    target: `<= ${format(limit)}`,
    measured: measured === undefined ? '' : format(measured),
    met: measured === undefined ? null : measured <= limit,
  };
}

function targetsOf(results, collections) {
  const targets = [];
  const count = (value) => String(value);
  for (const workload of WORKLOADS) {
    const { direct = [], both = [] } = results[workload];
    const figure = (read) => (direct.length === 0 ? [] : [of(direct, read)]);
    targets.push(
      target(
        `${workload}: samples lost`,
        0,
        direct.map((run) => run.lost),
        count,
      ),
      target(
        `${workload}: collections skipped`,
        0,
        direct.map((run) => run.skipped),
        count,
      ),
      target(
        `${workload}: longest pause`,
        2,
        figure((run) => run.longestPauseMs),
        (ms) => `${ms.toFixed(2)} ms`,
      ),
      target(
        `${workload}: overhead.reading`,
        0.001,
        figure((run) => run.overhead.reading),
        percent,
      ),
      target(
        `${workload}: overhead.total`,
        0.005,
        figure((run) => run.overhead.total),
        percent,
      ),
      target(
        `${workload}: bytes in cut stacks`,
        0.01,
        figure((run) => run.cutShare),
        percent,
      ),
    );
    const timed = both.filter((run) => run.sampleNs !== undefined);
    targets.push(
      target(
        `${workload}: a sample, in V8's own work for it`,
        0.1,
        timed.length === 0
          ? []
          : [of(timed, (run) => run.sampleNs.own) / of(timed, (run) => run.sampleNs.v8)],
        (ratio) => `1/${(1 / ratio).toFixed(1)}`,
      ),
    );
  }
  const ofLive = (way, live) => collections.filter((each) => each.way === way && each.wanted === live);
  const [direct, inPublic] = ['direct', 'public'].map((way) => ofLive(way, LIVE[0]));
  const ms = (runs) => of(runs, (run) => run.msEach);
  if (direct.length !== 0 && inPublic.length !== 0) {
    targets.push(
      target(
        `a collection at ${LIVE[0]} live samples, in the public harvest`,
        1 / 40,
        [ms(direct) / ms(inPublic)],
        (r) => `1/${(1 / r).toFixed(1)}`,
      ),
    );
  }
  const most = ofLive('direct', LIVE.at(-1));
  if (LIVE.length > 1 && most.length !== 0) {
    targets.push(
      target(
        `a collection at ${LIVE.at(-1)} live samples, in one at ${LIVE[0]}`,
        2,
        [ms(most) / ms(direct)],
        (r) => r.toFixed(2),
      ),
    );
  }
  return targets;
}

async function main() {
  const results = Object.fromEntries(
    WORKLOADS.map((each) => [each, Object.fromEntries(WAYS.map((way) => [way, []]))]),
  );
  const collections = [];
  for (let round = 0; round < rounds; round++) {
    for (const workload of WORKLOADS) {
      for (const way of WAYS) {
        const run = await runProgram('direct', { way, workload, seconds, interval, depth });
        results[workload][way].push(run);
      }
    }
    for (const wanted of LIVE) {
      // V8's way at one number only, to compare.
      for (const way of wanted === LIVE[0] ? ['direct', 'public'] : ['direct']) {
        const run = await runProgram('direct', { way, interval, depth, live: wanted });
        collections.push({ way, wanted, ...run });
      }
    }
  }
  for (const [workload, ways] of Object.entries(results)) {
    console.log(`\n${workload}, Node.js ${process.versions.node}, ${seconds} s each`);
    console.table(
      Object.fromEntries(
        Object.entries(ways).map(([way, runs]) => [
          way,
          {
            source: runs.map((run) => run.problem ?? run.source).join(', '),
            samples: of(runs, (run) => run.samples),
            lost: of(runs, (run) => run.lost),
            collections: of(runs, (run) => run.collections),
            skipped: of(runs, (run) => run.skipped),
            'ms a collection': of(runs, (run) => run.readMs).toFixed(3),
            'longest ms': of(runs, (run) => run.longestPauseMs).toFixed(2),
            reading: percent(of(runs, (run) => run.overhead.reading)),
            sampling: percent(of(runs, (run) => run.overhead.sampling)),
            total: percent(of(runs, (run) => run.overhead.total)),
            cut: percent(of(runs, (run) => run.cutShare)),
            'us a sample': runs
              .filter((run) => run.sampleNs !== undefined)
              .map(
                ({ sampleNs: { own, v8 } }) => `${(own / 1000).toFixed(2)} of V8's ${(v8 / 1000).toFixed(1)}`,
              )
              .join(', '),
          },
        ]),
      ),
    );
  }
  console.table(
    collections.map(({ wanted, ...rest }) => ({ ...rest, msEach: Number(rest.msEach.toFixed(3)) })),
  );
  const targets = targetsOf(results, collections);
  printTargets(targets);
  writeResults('direct', options, { results, collections, targets });
}

main();
