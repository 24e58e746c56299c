import t from 'tap';
import type { Status } from '#dist/sampler/status.js';
import { endedWell, lastLine, plausible, type Report, run, scaled } from '../support/hazard.js';

interface CostReport extends Report {
  harvestCpuNs: number;
  readCpuNs: number;
  writeCpuNs: number;
  runningNs: number;
  longestPauseNs: number;
  overhead: Status['overhead'];
}

for (const { maxOverhead, interval } of [
  { maxOverhead: 0.001, interval: 16 * 1024 },
  { maxOverhead: 0.001, interval: 64 * 1024 },
  { maxOverhead: 0.005, interval: 16 * 1024 },
]) {
  t.test(`maxOverhead ${maxOverhead} at an interval of ${interval} bytes`, async (t) => {
    const seconds = scaled(t, 'seconds', 3, 60);
    const outcome = await run('cost-budget.cjs', {
      args: [maxOverhead, interval, seconds],
      source: 'public', // with a fixed interval, the budget is that of reading V8's samples
    });
    endedWell(t, outcome);
    const report = lastLine<CostReport>(outcome);
    const ms = (ns: number) => `${(ns / 1e6).toFixed(1)} ms`;
    t.comment(
      `${report.harvests} harvests took ${ms(report.harvestCpuNs)} of ${ms(report.runningNs)}, the longest ` +
        `${ms(report.longestPauseNs)}; ${report.skippedGCs} of ${report.numGC} collections skipped; ` +
        `${report.seen} samples seen, ${report.lost} lost`,
    );
    t.ok(report.skippedGCs > 0, 'collections were skipped');
    t.ok(report.lost > 0, 'samples were lost');
    const allowed = 100e6 + maxOverhead * report.runningNs + report.longestPauseNs;
    t.ok(report.harvestCpuNs <= allowed, `${ms(report.harvestCpuNs)} of harvests, ${ms(allowed)} allowed`);
    t.ok(report.harvestCpuNs > 50e6, 'what is allowed is used');
    t.ok(
      Math.abs(
        report.overhead.total -
          (report.harvestCpuNs + report.readCpuNs + report.writeCpuNs) / report.runningNs,
      ) < 1e-9,
      'overhead is their quotient',
    );
    t.equal(report.overhead.limit, maxOverhead);
    t.equal(report.imputed, report.lost, 'all that was lost is imputed');
    plausible(t, report, { stopped: true, leastSamples: 1000 });
  });
}
