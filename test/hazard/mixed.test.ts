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

// Each round of `npm run soak:hazards` has seeds of its own.
const round = Number(process.env.MEMPROF_TEST_ROUND ?? 0);

for (const source of sources) {
  t.test(`all hazards at the same time: ${source} samples`, async (t) => {
    // Figures are converted to the finest interval, so the records' counts are those of the samples only without it.
    const steering = source === 'direct' && round % 2 === 1;
    const turns = scaled(t, 'turns', 150, 10_000);
    const outcome = await run('hazard-mixed.cjs', {
      nodeArgs: ['--expose-gc', '--no-warnings'],
      args: [turns, 2 * round + sources.indexOf(source), steering ? 'steering' : ''],
      source,
    });
    endedWell(t, outcome);
    const report = lastLine<Report & { counts: Record<string, number>; sourceAtEnd: string }>(outcome);
    t.comment(JSON.stringify(report));
    t.ok(report.counts.interruptions! > turns / 3, `${report.counts.interruptions} interruptions`);
    t.equal(report.sourceAtEnd, source, 'samples come from where they came at first');
    takenBy(t, report, source);
    t.equal(report.negative, 0, 'no record is negative');
    if (!steering) plausible(t, report, { stopped: true, leastSamples: 100 });
  });
}
