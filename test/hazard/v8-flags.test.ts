import t from 'tap';
import { hasV8Flag, plausible, reportWith, scaled, sources } from '../support/hazard.js';

const cases = [
  { flags: [], ci: 100, full: 2000 },
  { flags: ['--stress-compaction'], ci: 30, full: 600 },
  { flags: ['--stress-incremental-marking'], ci: 30, full: 600 },
  { flags: ['--stress-scavenge=50'], ci: 20, full: 200 },
  { flags: ['--max-semi-space-size=1'], ci: 60, full: 2000 },
  { flags: ['--single-threaded'], ci: 60, full: 2000 },
  { flags: ['--minor-ms'], ci: 60, full: 2000 },
  { flags: ['--minor-ms', '--max-semi-space-size=1'], ci: 60, full: 2000 },
  // Without WebAssembly, or V8 says that there is none.
  { flags: ['--jitless', '--no-expose-wasm'], ci: 20, full: 400 },
  { flags: ['--max-old-space-size=64', '--stress-compaction'], ci: 20, full: 200 },
];

for (const { flags, ci, full } of cases) {
  const unknown = flags.find((flag) => !hasV8Flag(flag.replace(/^--no-/, '--').replace(/=.*/, '')));
  const skip = unknown !== undefined && `Node.js ${process.version} has no ${unknown}`;
  for (const source of sources) {
    t.test(`under ${flags.join(' ') || 'no flags'}: ${source} samples`, { skip }, async (t) => {
      const rounds = scaled(t, 'rounds', Math.max(15, ci / 2), full / 2);
      const report = await reportWith<{ kept: { alloc: number; inUse: number }; churned: number }>(
        t,
        source,
        'hazard-app.cjs',
        [rounds],
        flags,
      );
      t.comment(`${report.numGC} collections, ${report.seen} samples, ${report.lost} lost`);
      t.ok(report.numGC > 3);
      // 500 objects with their arrays and strings are 60 to 100 KB a round, and all are still in use.
      const bytes = report.kept.inUse * 8192;
      t.ok(
        bytes > rounds * 30e3 && bytes < rounds * 200e3 + 1e6,
        `${Math.round(bytes / rounds)} bytes kept a round`,
      );
      t.ok(report.churned > rounds * 20, `${report.churned} samples churned`);
      plausible(t, report, { stopped: true, leastSamples: rounds });
    });
  }
}
