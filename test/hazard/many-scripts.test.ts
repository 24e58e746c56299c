import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  t.test(`thousands of loaded scripts: ${source} samples`, async (t) => {
    const scripts = scaled(t, 'scripts', 1000, 10000);
    type Costs = { files: number; longestPauseNs: number; harvestCpuNs: number; runningNs: number };
    const report = await reportWith<Costs>(t, source, 'hazard-many-scripts.cjs', [scripts]);
    t.comment(
      `the longest harvest took ${(report.longestPauseNs / 1e6).toFixed(1)} ms, ${report.skippedGCs} skipped`,
    );
    t.ok(report.files > scripts / 4, `${report.files} records with a script's own name and line`);
    const allowed = 100e6 + 0.005 * report.runningNs + report.longestPauseNs;
    t.ok(report.harvestCpuNs <= allowed, 'harvests keep to their budget');
    plausible(t, report, { stopped: true, leastSamples: scripts });
  });
}
