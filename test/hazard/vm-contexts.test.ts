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
  t.test(`contexts that come and go: ${source} samples`, async (t) => {
    const contexts = scaled(t, 'contexts', 150, 2500);
    const outcome = await run('hazard-vm-contexts.cjs', {
      nodeArgs: ['--expose-gc'],
      args: [contexts],
      source,
    });
    endedWell(t, outcome);
    type Figures = { alloc: number; inUse: number };
    const report = lastLine<Report & { figures: Figures; own: Figures; collected: number }>(outcome);
    t.ok(report.collected > contexts * 0.5, `${report.collected} contexts were collected`);
    t.ok(
      report.figures.alloc > contexts * 10,
      `${report.figures.alloc} samples in a function of half of them`,
    );
    t.ok(report.figures.inUse > contexts * 0.5, `${report.figures.inUse} of its objects are still in use`);
    t.ok(report.figures.inUse < report.figures.alloc / 4);
    t.ok(report.own.alloc > 5 && report.own.inUse <= report.own.alloc, 'functions of one context count');
    takenBy(t, report, source);
    plausible(t, report, { stopped: true, leastSamples: contexts * 10 });
  });
}
