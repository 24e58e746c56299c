import t from 'tap';
import { endedWell, lastLine, plausible, run, scaled, soak } from '../support/hazard.js';

// Right after a forced collection, the objects and bytes in use of every bucket are those of V8's own samples: read by an
// inspector session of the same process, which shows the sampler that memprof runs.
const cases = [
  { name: 'every collection harvested', maxOverhead: 1, interval: 8192, calls: 3000 },
  { name: 'maxOverhead 0.001', maxOverhead: 0.001, interval: 2048, calls: 3000, skips: true },
  // A young generation large enough for a whole comparison, which is itself sampled to the last object.
  {
    name: 'every allocation sampled',
    maxOverhead: 0.001,
    interval: 1,
    calls: 30,
    flags: soak ? ['--min-semi-space-size=128', '--max-semi-space-size=128'] : ['--min-semi-space-size=64'],
  },
  {
    name: 'maxOverhead 0.001 in a worker',
    maxOverhead: 0.001,
    interval: 2048,
    calls: 3000,
    skips: true,
    thread: 'worker',
  },
];

for (const { name, maxOverhead, interval, calls, skips = false, thread = 'main', flags = [] } of cases) {
  t.test(`in use equals V8's samples: ${name}`, async (t) => {
    const rounds = scaled(t, 'rounds', skips ? 8 : interval === 1 ? 2 : 5, interval === 1 ? 15 : 100);
    const outcome = await run('in-use-equals-v8.cjs', {
      nodeArgs: ['--expose-gc', ...flags],
      args: [maxOverhead, interval, rounds, calls, thread, skips ? 'skips' : ''],
      source: 'public', // there are V8's samples only where V8 takes them
    });
    endedWell(t, outcome);
    const report = lastLine(outcome);
    t.comment(
      `${report.compared} comparisons, ${report.skippedGCs} of ${report.numGC} collections skipped, ` +
        `${report.seen} samples, of these ${report.samples} in comparisons, ${report.lost} lost, ${report.later} taken too late to be compared`,
    );
    t.strictSame(report.differences, [], 'no bucket differs');
    t.ok((report.smallest as number) > 50, `at least ${report.smallest} buckets each time`);
    t.ok((report.compared as number) >= rounds / 2, `${report.compared} rounds compared`);
    if (skips) t.ok(report.skippedGCs > 0, 'collections were skipped');
    plausible(t, report, { stopped: true, leastSamples: 1000 });
  });
}
