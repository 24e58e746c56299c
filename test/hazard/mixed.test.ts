import t from 'tap';
import { plausible, reportWith, scaled, sources } from '../support/hazard.js';

// Each round of `npm run soak:hazards` has seeds of its own.
const round = Number(process.env.MEMPROF_TEST_ROUND ?? 0);

for (const source of sources) {
  t.test(`all hazards at the same time: ${source} samples`, async (t) => {
    // Figures are converted to the finest interval, so the records' counts are those of the samples only without it.
    const steering = source === 'direct' && round % 2 === 1;
    const turns = scaled(t, 'turns', 150, 10_000);
    const report = await reportWith<{ counts: Record<string, number>; sourceAtEnd: string }>(
      t,
      source,
      'hazard-mixed.cjs',
      [turns, 2 * round + sources.indexOf(source), steering ? 'steering' : ''],
      ['--no-warnings'],
    );
    t.comment(JSON.stringify(report));
    t.ok(report.counts.interruptions! > turns / 3, `${report.counts.interruptions} interruptions`);
    t.equal(report.sourceAtEnd, source, 'samples come from where they came at first');
    t.equal(report.negative, 0, 'no record is negative');
    if (!steering) plausible(t, report, { stopped: true, leastSamples: 100 });
  });
}

const hasLines = sources.includes('direct') && Number(process.versions.node.split('.')[0]) >= 22;

t.test(
  'all hazards at the same time, with lines of calls and beside CPU profiles',
  { skip: !hasLines && 'lines of calls need Node.js 22 and Linux on x64' },
  async (t) => {
    const turns = scaled(t, 'turns', 100, 10_000);
    const report = await reportWith<{ sourceAtEnd: string; linesProblem: string | null; withLines: number }>(
      t,
      'direct',
      'hazard-mixed.cjs',
      [turns, 2 * round + 1, 'call-sites'],
      ['--no-warnings'],
    );
    t.comment(JSON.stringify(report));
    t.equal(report.sourceAtEnd, 'direct');
    t.equal(report.linesProblem, null, 'lines are there again when no CPU profile is left');
    t.ok(report.withLines > 100, `${report.withLines} samples have lines at the end`);
    t.equal(report.negative, 0, 'no record is negative');
    plausible(t, report, { stopped: true, leastSamples: 100 });
  },
);
