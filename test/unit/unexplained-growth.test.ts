import t from 'tap';
import { judgeGrowth } from '#dist/analysis/growth.js';
import type { ProfileSites, SiteSeries } from '#dist/analysis/leak-sites.js';
import { unexplainedGrowth } from '#dist/analysis/unexplained-growth.js';
import { poisson, seededRandom } from '../support/random.js';

const INTERVAL = 524_288;

/** Sites by their numbers of samples over time, of small objects. */
function report(sites: Readonly<Record<string, readonly number[]>>) {
  const series = Object.entries(sites).map(
    ([name, counts]): SiteSeries => ({
      name,
      frames: [],
      points: counts.map((samples) => ({
        samples,
        bytes: samples * INTERVAL,
        variance: samples * INTERVAL ** 2,
      })),
    }),
  );
  const count = series[0]!.points.length;
  const profiles = Array.from({ length: count }, (_, at): ProfileSites => {
    const bytes = series.reduce((sum, { points }) => sum + points[at]!.bytes, 0);
    return { bytes, allocated: undefined, external: undefined, sites: new Map() };
  });
  const times = profiles.map((_, at) => at);
  const growths = judgeGrowth(times, series);
  const judged = series.map((site, at) => ({ site, growth: growths[at]! }));
  return { judged, ...unexplainedGrowth(profiles, judged) };
}

t.test('growth that no site explains is stated, with the sites that have too few samples', (t) => {
  const { growth, unexplained, weak, samplesNeeded } = report({
    slow: [0, 0, 1, 1, 2, 3],
    level: [100, 98, 101, 99, 102, 100],
    falling: [9, 8, 8, 7, 7, 6],
  });
  t.equal(growth, 0);
  t.equal(unexplained, 0);
  t.ok(samplesNeeded > 15 && samplesNeeded < 30, `${samplesNeeded} samples are needed`);
  t.equal(weak[0]!.name, 'slow');
  t.strictSame(weak[0]!.samples, [0, 3]);
  t.ok(Math.abs(weak[0]!.times - samplesNeeded / 3) < 0.01);
  t.end();
});

t.test('a site of the report explains its growth', (t) => {
  const leak = Array.from({ length: 20 }, (_, at) => 30 * at);
  const { growth, unexplained, weak } = report({ leak, other: [0, ...leak.slice(1).map(() => 1)] });
  t.equal(growth, 571 * INTERVAL);
  t.equal(unexplained, INTERVAL);
  t.strictSame(
    weak.map(({ name }) => name),
    ['other'],
  );
  t.end();
});

t.test('what the report says it takes is what it takes', (t) => {
  // Of leaks that grow until they have as many samples as are needed, nearly all are certain; of those at a quarter, few.
  const random = seededRandom(7);
  const RUNS = 200;
  const found = (total: number) => {
    let certain = 0;
    for (let run = 0; run < RUNS; run++) {
      let samples = 0;
      const leak = Array.from({ length: 20 }, (_, at) => {
        if (at > 0) samples += poisson(total / 19, random);
        return samples;
      });
      if (report({ leak, level: leak.map(() => 50) }).judged[0]!.growth.verdict === 'certain') certain++;
    }
    return certain / RUNS;
  };
  const { samplesNeeded } = report({ leak: [0, 1], level: [50, 50] });
  const [enough, tooFew] = [found(samplesNeeded * 1.5), found(samplesNeeded / 4)];
  t.comment(
    `${samplesNeeded} samples: certain in ${enough} of the runs with half as many again, ${tooFew} with a quarter`,
  );
  t.ok(enough > 0.8, `${enough} of the runs`);
  t.ok(tooFew < 0.2, `${tooFew} of the runs`);
  t.end();
});
