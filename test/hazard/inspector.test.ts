import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  t.test(`heap snapshots and CPU profiles are taken meanwhile: ${source} samples`, async (t) => {
    const rounds = scaled(t, 'rounds', 1, 15);
    const report = await reportWith<
      Record<'chunkBytes' | 'fileBytes' | 'profileNodes', number> & {
        figures: { alloc: number; inUse: number };
      }
    >(t, source, 'hazard-inspector.cjs', [rounds]);
    t.equal(report.stateBefore, 'running');
    t.equal(report.displaced, 0, 'nobody took our sampler');
    t.ok(report.chunkBytes > 1e6 && report.fileBytes > 1e6, 'the snapshots are there');
    t.ok(report.profileNodes > 5, 'the CPU profiles are there');
    t.ok(report.figures.inUse > rounds * 100, `${report.figures.inUse} samples in use`);
    t.ok(report.figures.alloc >= report.figures.inUse);
    plausible(t, report, { stopped: true, leastSamples: rounds * 100 });
  });
}
