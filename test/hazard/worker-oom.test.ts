import t from 'tap';
import { endedWell, lastLine, plausible, reportWith, run, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  t.test(`a worker out of memory ends as it would without memprof: ${source} samples`, async (t) => {
    const workers = scaled(t, 'workers', 4, 100);
    const without = await run('hazard-worker-oom.cjs', { args: ['off', 1] });
    endedWell(t, without);
    t.strictSame(lastLine(without).ends, ['ERR_WORKER_OUT_OF_MEMORY 1']);
    const report = await reportWith<{ worked: { alloc: number; inUse: number } }>(
      t,
      source,
      'hazard-worker-oom.cjs',
      ['on', workers],
    );
    t.strictSame(report.ends, ['ERR_WORKER_OUT_OF_MEMORY 1']);
    t.ok(report.worked.alloc > workers * 200, `${report.worked.alloc} samples of the workers stay`);
    t.equal(report.worked.inUse, 0, 'nothing of theirs is in use');
    plausible(t, report, { stopped: true, leastSamples: workers * 200 });
  });
}
