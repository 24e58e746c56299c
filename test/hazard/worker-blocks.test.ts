import t, { type Test } from 'tap';
import { run, scaled } from '../support/hazard.js';
import { testAddon } from '../support/test-addon.js';

const STEP = 16;

const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
const skip = report.header?.glibcVersionRuntime === undefined && 'counts blocks of glibc';

// What is left behind by each worker is a block of some size a worker. What is cached, or grows now and then, is less.
const MOST = 0.8;

async function blocksLeftBy(t: Test, how: 'plain' | 'profiled' | 'rung'): Promise<number[]> {
  const workers = scaled(t, 'workers', 60, 500);
  const counter = testAddon(t, 'block-counter');
  const outcome = await run('hazard-worker-blocks.cjs', {
    nodeArgs: ['--expose-gc'],
    args: [counter, workers, how],
    env: { LD_PRELOAD: counter },
  });
  t.match(outcome, { code: 0, signal: null });
  return JSON.parse(outcome.stdout) as number[];
}

t.test('a worker that ends leaves no block behind', { skip }, async (t) => {
  // Node.js 24 itself leaves two for each worker.
  const plain = await blocksLeftBy(t, 'plain');
  for (const [how, what] of [
    ['profiled', 'one that was profiled'],
    ['rung', 'an idle one that was asked for figures, and terminated'],
  ] as const) {
    const left = (await blocksLeftBy(t, how)).flatMap((blocks, at) => {
      const own = blocks - Math.max(0, plain[at]!);
      return own > MOST ? [`${own} of ${at * STEP} bytes`] : [];
    });
    t.strictSame(left, [], `${what}: more blocks than without memprof, for each worker`);
  }
});
