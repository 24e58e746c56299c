import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  const most = source === 'direct' ? 512 : 128;
  t.test(`stackDepth 512 in workers at their stack limit: ${source} samples`, async (t) => {
    const workers = scaled(t, 'workers', 4, 20);
    const recursions = scaled(t, 'recursions in each', 8, 100);
    type Result = { stackSizeMb: number; code: number; overflows: number; deepest: number; depth: number };
    const report = await reportWith<{ results: Result[]; descended: { alloc: number } }>(
      t,
      source,
      'hazard-stack-limit.cjs',
      [workers, recursions],
    );
    t.equal(report.results.length, workers);
    for (const { stackSizeMb, code, overflows, deepest, depth } of report.results) {
      t.equal(code, 0, `a stack of ${stackSizeMb} MB, ${deepest} calls deep`);
      t.ok(overflows >= recursions * 2, `${overflows} stack overflows, all of them caught`);
      t.ok(deepest > 512, 'deeper than what is kept');
      t.equal(depth, most + 1, `stacks of ${most} frames, and the root of stacks that are cut`);
    }
    t.ok(report.descended.alloc > 100);
    plausible(t, report, { stopped: true, leastSamples: 1000 });
  });
}
