import t from 'tap';
import { endedWell, lastLine, run } from '../support/hazard.js';

interface Report {
  mapBytes: number;
  blocks: number[];
  mapped: { found: number; wrong: number }[];
  heapGrew: number;
  sourceMaps: { read: number; leftOut: number; problem: string | null };
}

const MIB = 2 ** 20;

for (const way of ['text', 'pprof']) {
  const skip = process.platform !== 'linux' && 'CPU time of one thread is read from /proc';
  t.test(`hazard: a source map of 15 MiB does not block the program (${way})`, { skip }, async (t) => {
    const outcome = await run('large-source-map.cjs', {
      nodeArgs: ['--expose-gc'],
      args: [t.testdir(), 15, way],
    });
    endedWell(t, outcome);
    const report = lastLine<Report>(outcome);
    t.ok(report.mapBytes > 15 * MIB, `${(report.mapBytes / MIB).toFixed(1)} MiB`);
    for (const [i, block] of report.blocks.entries()) {
      t.ok(block < 20, `profile ${i + 1}: at most ${block.toFixed(1)} ms of CPU time at a time`);
    }
    for (const [i, { found, wrong }] of report.mapped.entries()) {
      // The map is removed before the second profile, in which half of the functions are new.
      t.ok(found >= 40 * (i + 1), `profile ${i + 1}: ${found} functions by their names in the source`);
      t.equal(wrong, 0, 'each in its line');
    }
    t.ok(
      report.sourceMaps.read >= 1,
      `${report.sourceMaps.read} maps read, those of memprof itself among them`,
    );
    t.ok(report.heapGrew < 8 * MIB, `the heap grew by ${(report.heapGrew / MIB).toFixed(1)} MiB`);
    t.strictSame([report.sourceMaps.leftOut, report.sourceMaps.problem], [0, null]);
  });
}
