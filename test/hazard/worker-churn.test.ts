import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  t.test(`workers terminated in the middle of their allocations: ${source} samples`, async (t) => {
    const workers = scaled(t, 'workers', 30, 500);
    const report = await reportWith<{ worked: { alloc: number; inUse: number } }>(
      t,
      source,
      'hazard-worker-churn.cjs',
      [workers],
    );
    t.strictSame(report.codes, [[1, workers]], 'all were terminated');
    t.ok(report.worked.alloc > workers * 20, `${report.worked.alloc} samples of workers`);
    t.equal(report.worked.inUse, 0, 'nothing of theirs is in use');
    t.strictSame(report.threads, [{ id: 0, state: 'stopped' }]);
    t.equal(report.isolates, 1, 'none is left');
    t.ok(
      report.isolatesEnded >= workers * 0.6 && report.isolatesEnded <= workers,
      `${report.isolatesEnded} had loaded memprof`,
    );
    plausible(t, report, { stopped: true, leastSamples: workers * 20 });
  });
}
