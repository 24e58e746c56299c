import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

// V8 runs no callbacks for a collection that a harvest causes in a prologue: samples that die in it are lost, and must be
// counted as such. None of these flags forces one: what is tested is that every sample is accounted for where harvests
// allocate megabytes.
for (const flags of [
  ['--max-semi-space-size=1'],
  ['--stress-scavenge=50'],
  ['--max-semi-space-size=1', '--stress-compaction'],
]) {
  for (const source of sources) {
    t.test(`harvests that allocate: ${flags.join(' ')}, ${source} samples`, async (t) => {
      const rounds = scaled(t, 'rounds', 10, 50);
      const report = await reportWith<{ treeNodes: number }>(
        t,
        source,
        'hazard-nested-gc.cjs',
        [rounds, rounds * 100],
        flags,
      );
      t.comment(
        `${report.harvests} harvests of up to ${report.treeNodes} nodes, ${report.numGC} collections; ` +
          `${report.seen} samples seen, ${report.lost} lost, ${report.seen - report.published} pending`,
      );
      t.ok(
        report.treeNodes > rounds * 50 || source === 'direct',
        'a large tree, or none where V8 is not asked',
      );
      t.ok(report.harvests > rounds / 4);
      plausible(t, report, { stopped: true, leastSamples: rounds * 50 });
    });
  }
}
