import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { FuzzReport } from '../support/fuzz-guided.js';

const COUNT = process.env.MEMPROF_TEST_SOAK === '1' ? 5000 : 300;
const SEED = Number(process.env.MEMPROF_TEST_SEED ?? 1);

t.test(`${COUNT} inputs, mutated towards code not yet run, end in a clear error or in reports`, async (t) => {
  const child = spawnSync(
    process.execPath,
    // A profile that is larger than what it was read from must not need more.
    [
      ...process.execArgv,
      '--max-old-space-size=512',
      require.resolve('../support/fuzz-guided'),
      String(COUNT),
      String(SEED),
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (child.status !== 0) throw new Error(`${child.status ?? child.signal}\n${child.stderr.slice(-2000)}`);
  const { runs, errors, bad, slowestMs, maxRssMiB, kept, covered }: FuzzReport = JSON.parse(child.stdout);
  t.comment(
    `${runs} inputs, ${errors} errors, ${kept} kept, ${covered} places, ${Math.round(slowestMs)} ms, ${maxRssMiB} MiB`,
  );
  t.strictSame(bad, []);
  t.ok(kept > 10, 'the search finds something');
  t.ok(errors > runs / 10 && errors < runs, 'some of both');
  t.ok(slowestMs < 10_000);
  t.ok(maxRssMiB < 1024);
});
