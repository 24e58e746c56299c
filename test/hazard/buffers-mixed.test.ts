import t from 'tap';
import { plausibleBuffers } from '../support/buffers.js';
import { run, scaled, soak } from '../support/hazard.js';

interface Level {
  rss: number;
  live: number;
}

const MIB = 2 ** 20;

t.test('everything there is to buffers, at the same time', async (t) => {
  const seconds = scaled(t, 'seconds', 12, 600);
  const outcome = await run('hazard-buffers-load.cjs', { nodeArgs: ['--expose-gc'], args: [0, seconds] });
  const report = plausibleBuffers(t, outcome, { sampled: false });
  t.equal(report.mismatches, 0, 'what comes out is what went in');
  for (const name of ['requests', 'files', 'workers', 'storms', 'restarts']) {
    t.ok(Number(report[name]) > 0, `${report[name]} ${name}`);
  }
  t.ok(report.arrayBuffers < 8 * MIB, `${report.arrayBuffers} bytes in use at the end`);
  t.ok(report.inUseBytes < 8 * MIB, `${report.inUseBytes} of them sampled`);
  const levels = report.levels as Level[];
  t.ok(levels.length >= 3, `${levels.length} looks meanwhile`);
  // A program that has run for minutes has what it needs: later it takes no more.
  if (soak) {
    const half = levels.slice(Math.floor(levels.length / 2));
    const first = Math.min(...levels.slice(1, 4).map(({ rss }) => rss));
    const last = Math.min(...half.map(({ rss }) => rss));
    t.ok(last < first + 60 * MIB, `RSS went from ${first} to ${last}`);
  }
});

const MODES = [
  ['--single-threaded'],
  ['--stress-compaction', '--max-semi-space-size=1'],
  ['--stress-scavenge=50', '--stress-incremental-marking'],
];

for (const flags of MODES) {
  t.test(`the same with ${flags.join(' ')}`, async (t) => {
    const seconds = scaled(t, 'seconds', 1, 60);
    const outcome = await run('hazard-buffers-load.cjs', {
      nodeArgs: ['--expose-gc', ...flags],
      args: [0, seconds],
    });
    const report = plausibleBuffers(t, outcome, { sampled: false });
    t.equal(report.mismatches, 0, 'what comes out is what went in');
    t.ok(report.arrayBuffers < 8 * MIB, `${report.arrayBuffers} bytes in use at the end`);
  });
}
