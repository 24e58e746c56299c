import t from 'tap';
import {
  endedWell,
  lastLine,
  plausible,
  type Report,
  run,
  scaled,
  sources,
  takenBy,
} from '../support/hazard.js';

for (const source of sources) {
  t.test(`stackDepth 512 in workers at their stack limit: ${source} samples`, async (t) => {
    const workers = scaled(t, 'workers', 4, 20);
    const recursions = scaled(t, 'recursions in each', 8, 100);
    const outcome = await run('hazard-stack-limit.cjs', {
      nodeArgs: ['--expose-gc'],
      args: [workers, recursions],
      source,
    });
    endedWell(t, outcome);
    type Result = { stackSizeMb: number; code: number; overflows: number; deepest: number; depth: number };
    const report = lastLine<Report & { results: Result[]; descended: { alloc: number } }>(outcome);
    t.equal(report.results.length, workers);
    for (const { stackSizeMb, code, overflows, deepest, depth } of report.results) {
      t.equal(code, 0, `a stack of ${stackSizeMb} MB, ${deepest} calls deep`);
      t.ok(overflows >= recursions * 2, `${overflows} stack overflows, all of them caught`);
      t.ok(deepest > 512, 'deeper than what is kept');
      t.equal(depth, 512 + 1, 'stacks of 512 frames, and the root of stacks that are cut');
    }
    t.ok(report.descended.alloc > 100);
    takenBy(t, report, source);
    plausible(t, report, { stopped: true, leastSamples: 1000 });
  });
}
