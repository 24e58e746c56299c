import t from 'tap';
import {
  endedWell,
  lastLine,
  type Outcome,
  plausible,
  run,
  scaled,
  sources,
  takenBy,
} from '../support/hazard.js';

const nodeArgs = ['--expose-gc', '--max-old-space-size=40'];

// How it ended, in V8's own words.
function death({ code, signal, stderr }: Outcome) {
  return {
    code,
    signal,
    errors: stderr.match(/FATAL ERROR: .*JavaScript heap out of memory/g)?.length,
    others: stderr.match(/^.*(Check failed|Segmentation|double free|corrupt|Fatal error in|Error:).*$/gm),
  };
}

t.test('driven to the heap limit: dies as it would without memprof', async (t) => {
  const times = scaled(t, 'times', 2, 50);
  const without = death(await run('hazard-heap-limit.cjs', { nodeArgs, args: ['grow', 'off'] }));
  t.equal(without.errors, 1);
  t.equal(without.signal, 'SIGABRT');
  for (let i = 0; i < times; i++) {
    const source = sources[i % sources.length];
    const outcome = await run('hazard-heap-limit.cjs', { nodeArgs, args: ['grow', 'on'], source });
    t.strictSame(death(outcome), without, `V8's own fatal error, after ${outcome.seconds.toFixed(1)} s`);
  }
});

t.test('living at 88 % of the limit: survives as it would without memprof', async (t) => {
  const rounds = scaled(t, 'rounds', 50, 1500);
  endedWell(t, await run('hazard-heap-limit.cjs', { nodeArgs, args: ['live', 'off', rounds] }));
  for (const source of sources) {
    const outcome = await run('hazard-heap-limit.cjs', { nodeArgs, args: ['live', 'on', rounds], source });
    endedWell(t, outcome);
    const report = lastLine(outcome);
    const { lowest, highest, numGC } = report;
    t.comment(`${lowest} to ${highest} of the limit live, ${numGC} collections`);
    t.ok((lowest as number) > 0.85, `never less than ${lowest} of the limit`);
    takenBy(t, report, source);
    plausible(t, report, { stopped: true, leastSamples: 1000 });
  }
});
