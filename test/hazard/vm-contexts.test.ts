import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  t.test(`contexts that come and go: ${source} samples`, async (t) => {
    const contexts = scaled(t, 'contexts', 150, 2500);
    type Figures = { alloc: number; inUse: number };
    const report = await reportWith<{ figures: Figures; own: Figures; collected: number }>(
      t,
      source,
      'hazard-vm-contexts.cjs',
      [contexts],
    );
    t.ok(report.collected > contexts * 0.5, `${report.collected} contexts were collected`);
    t.ok(
      report.figures.alloc > contexts * 10,
      `${report.figures.alloc} samples in a function of half of them`,
    );
    t.ok(report.figures.inUse > contexts * 0.5, `${report.figures.inUse} of its objects are still in use`);
    t.ok(report.figures.inUse < report.figures.alloc / 4);
    t.ok(report.own.alloc > 5 && report.own.inUse <= report.own.alloc, 'functions of one context count');
    plausible(t, report, { stopped: true, leastSamples: contexts * 10 });
  });
}
