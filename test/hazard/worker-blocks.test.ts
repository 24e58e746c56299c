import t from 'tap';
import { run, scaled } from '../support/hazard.js';
import { testAddon } from '../support/test-addon.js';

const STEP = 16;

const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
const skip = report.header?.glibcVersionRuntime === undefined && 'counts blocks of glibc';

// What is left behind by each worker is a block of some size a worker. What is cached, or grows now and then, is less.
const MOST = 0.8;

for (const [how, what] of [
  ['profiled', 'a worker that ends leaves no block behind'],
  ['rung', 'nor does an idle one that was asked for figures'],
] as const) {
  t.test(what, { skip }, async (t) => {
    const workers = scaled(t, 'workers', 60, 500);
    const counter = testAddon(t, 'block-counter');
    const outcome = await run('hazard-worker-blocks.cjs', {
      nodeArgs: ['--expose-gc'],
      args: [counter, workers, how],
      env: { LD_PRELOAD: counter },
    });
    t.match(outcome, { code: 0, signal: null });
    const more = JSON.parse(outcome.stdout) as number[];
    const left = more.flatMap((blocks, at) => (blocks > MOST ? [`${blocks} of ${at * STEP} bytes`] : []));
    t.strictSame(left, [], 'blocks left behind, for each worker');
  });
}
