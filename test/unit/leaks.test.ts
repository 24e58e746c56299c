import t from 'tap';
import { judgeGrowth, type LeakPoint, type LeakSeries, type Verdict } from '#dist/analysis/growth.js';
import { normalTail, studentTail } from '#dist/analysis/tail-probability.js';
import { normal, poisson, seededRandom } from '../support/random.js';

const INTERVAL = 524_288;

/** Small objects, of which each sample stands for the interval. */
function point(samples: number): LeakPoint {
  return { samples, bytes: samples * INTERVAL, variance: samples * INTERVAL ** 2 };
}

const times = (count: number) => Array.from({ length: count }, (_, at) => at * 10);

type Random = () => number;
type Simulate = (profiles: number, random: Random) => LeakSeries;

const series = (counts: readonly number[], freedSamples?: number): LeakSeries => ({
  points: counts.map(point),
  freedSamples,
});
const counts = (profiles: number, next: (at: number) => number) =>
  Array.from({ length: profiles }, (_, at) => next(at));

/** Does not grow, but is drawn anew for every profile: sampling noise only. */
const churning: Simulate = (profiles, random) => {
  const mean = 10 ** (random() * 3 - 0.5);
  return series(counts(profiles, () => poisson(mean, random)));
};

/** Does not grow; objects live for several profiles, so that neighbours are alike. */
const lingering: Simulate = (profiles, random) => {
  const mean = 10 ** (random() * 2.5);
  const survive = 0.5 + random() / 2;
  let samples = poisson(mean, random);
  let freed = 0;
  return series(
    counts(profiles, (at) => {
      if (at === 0) return samples;
      let alive = 0;
      for (let n = 0; n < samples; n++) if (random() < survive) alive++;
      freed += samples - alive;
      samples = alive + poisson(mean * (1 - survive), random);
      return samples;
    }),
    freed,
  );
};

/** Truly goes up and down, by a factor of two or so, far more than sampling noise. */
const fluctuating: Simulate = (profiles, random) =>
  series(counts(profiles, () => poisson(200 * Math.exp(normal(random) * 0.7), random)));

/** Truly wanders: every profile is as the one before, and something more or less. */
const wandering: Simulate = (profiles, random) => {
  let level = 1000;
  return series(
    counts(profiles, () => {
      level = Math.max(0, level + 100 * normal(random));
      return poisson(level, random);
    }),
  );
};

/** Verdicts in so many reports of so many sites each, from one kind of simulated site. */
function reports(count: number, sites: number, profiles: number, simulate: Simulate, seed: number) {
  const random = seededRandom(seed);
  const found: Record<Verdict, number> = { certain: 0, likely: 0, noise: 0 };
  for (let n = 0; n < count; n++) {
    const growth = judgeGrowth(
      times(profiles),
      Array.from({ length: sites }, () => simulate(profiles, random)),
    );
    const worst = (['certain', 'likely', 'noise'] as const).find((verdict) =>
      growth.some((each) => each.verdict === verdict),
    )!;
    found[worst]++;
  }
  return found;
}

const REPORTS = 300;

// At most 1 in 20 reports may call any site likely: 15 of 300, sigma 3.8, 4 sigma above is 30. At most 1 in 1000 may call
// one certain: 0.3 of 300; 4 and more of that have a chance of 1 in 4000.
const MOST_LIKELY = 30;
const MOST_CERTAIN = 3;

for (const [name, simulate] of Object.entries({ churning, lingering, fluctuating, wandering })) {
  for (const profiles of [3, 4, 6, 12, 30]) {
    t.test(`${name} sites in ${profiles} profiles are no leaks`, async (t) => {
      const found = reports(REPORTS, 40, profiles, simulate, 1000 + profiles);
      t.ok(found.certain <= MOST_CERTAIN && found.certain + found.likely <= MOST_LIKELY, 'noise', {
        ...found,
      });
    });
  }
}

/** So many samples stay from the start; then more, on average so many a profile, and never freed. */
const leaking =
  (start: number, more: number): Simulate =>
  (profiles, random) => {
    let samples = start;
    return series(
      counts(profiles, (at) => {
        if (at > 0) samples += poisson(more, random);
        return samples;
      }),
      0,
    );
  };

/** A leak that lets go of its objects now and then, above churn in the same site. */
const leakingAboveChurn: Simulate = (profiles, random) => {
  let leaked = 0;
  return series(
    counts(profiles, (at) => {
      if (at > 0) leaked += poisson(12, random);
      return poisson(30, random) + leaked;
    }),
  );
};

function shareFound(simulate: Simulate, profiles: number, others: readonly Simulate[], seed: number) {
  const random = seededRandom(seed);
  const verdicts: Record<Verdict, number> = { certain: 0, likely: 0, noise: 0 };
  const slopes: number[] = [];
  const deviations: number[] = [];
  for (let n = 0; n < REPORTS; n++) {
    const noise = others.flatMap((other) => Array.from({ length: 20 }, () => other(profiles, random)));
    const [leak] = judgeGrowth(times(profiles), [simulate(profiles, random), ...noise]);
    verdicts[leak!.verdict]++;
    slopes.push(leak!.slope);
    deviations.push(leak!.sigma);
  }
  const mean = slopes.reduce((a, b) => a + b) / REPORTS;
  const spread = Math.sqrt(slopes.reduce((a, b) => a + (b - mean) ** 2, 0) / (REPORTS - 1));
  const sigma = deviations.reduce((a, b) => a + b) / REPORTS;
  return { ...verdicts, mean, spread, sigma };
}

t.test('a slow leak among noise', async (t) => {
  // 3 samples a profile, 87 in all: growth of 9 sigma, beside 60 sites of noise.
  const found = shareFound(leaking(20, 3), 30, [churning, lingering, fluctuating], 1);
  t.equal(found.noise, 0, 'is always found', found);
  t.ok(found.certain >= 0.9 * REPORTS, 'and mostly certain', found);
  // The mean of 300 slopes: sigma 0.3 samples a profile / sqrt(300).
  const expected = (3 * INTERVAL) / 10;
  t.ok(
    Math.abs(found.mean - expected) < (4 * found.spread) / Math.sqrt(REPORTS),
    'its slope is right',
    found,
  );
  // The spread of 300 has a sigma of 4 %; 4 sigma are 16 %, and the sigma given may be larger, not smaller.
  t.ok(found.sigma > 0.84 * found.spread && found.sigma < 1.5 * found.spread, 'and so is its sigma', found);
});

t.test('a leak in few profiles', async (t) => {
  const found = shareFound(leaking(0, 40), 5, [churning], 2);
  t.equal(found.noise, 0, 'is found', found);
});

t.test('a leak in a site that has much in use anyway, which is never freed', async (t) => {
  // 2000 samples in use: sigma 45 were they drawn anew. The leak is 58.
  const found = shareFound(leaking(2000, 2), 30, [churning], 3);
  t.ok(found.noise <= 0.05 * REPORTS, 'is found by what was freed: nothing', found);
});

t.test('a leak above churn of the same site', async (t) => {
  const found = shareFound(leakingAboveChurn, 12, [churning, lingering], 4);
  t.ok(found.noise <= 0.05 * REPORTS, 'is found', found);
  t.ok(found.sigma > 0.84 * found.spread && found.sigma < 1.5 * found.spread, 'with the right sigma', found);
});

t.test('two and three profiles', async (t) => {
  const judge = (...each: LeakSeries[]) => judgeGrowth(times(each[0]!.points.length), each);
  const [grown, shrunk, same] = judge(series([10, 200]), series([200, 10]), series([50, 50]));
  t.equal(grown!.verdict, 'likely', 'never certain: it may as well go up and down');
  t.ok(Math.abs(grown!.slope - 19 * INTERVAL) < 1e-6 * INTERVAL);
  t.equal(shrunk!.verdict, 'noise');
  t.ok(Math.abs(shrunk!.slope + 19 * INTERVAL) < 1e-6 * INTERVAL);
  t.equal(same!.verdict, 'noise');
  t.equal(judge(series([10, 13]))[0]!.verdict, 'noise', 'three samples are nothing');
  t.equal(judge(series([10, 100, 190]))[0]!.verdict, 'likely');
  t.equal(judge(series([10, 190, 190]))[0]!.verdict, 'noise', 'it grew once');
});

t.test('where every allocation is sampled, only ups and downs are in doubt', async (t) => {
  const exact = (...bytes: number[]): LeakSeries => ({
    points: bytes.map((each) => ({ bytes: each, samples: each / 100, variance: 0 })),
  });
  const [steady, once, upAndDown, still] = judgeGrowth(times(6), [
    exact(100, 200, 300, 400, 500, 600),
    exact(100, 100, 100, 600, 600, 600),
    exact(100, 600, 100, 600, 100, 600),
    exact(100, 100, 100, 100, 100, 100),
  ]);
  t.equal(steady!.verdict, 'certain');
  t.ok(Math.abs(steady!.slope - 10) < 1e-9 && steady!.sigma < 1e-9);
  t.equal(once!.verdict, 'noise');
  t.equal(upAndDown!.verdict, 'noise');
  t.match(still, { verdict: 'noise', slope: 0, sigma: 0, chance: 1 });
});

t.test('times need not be even', async (t) => {
  const at = [0, 1, 2, 10, 40, 41, 100];
  const [growth] = judgeGrowth(at, [series(at.map((time) => 10 + 2 * time))]);
  t.ok(Math.abs(growth!.slope / (2 * INTERVAL) - 1) < 1e-9);
  t.equal(growth!.verdict, 'certain');
});

t.test('a site that is not there at all', async (t) => {
  t.match(judgeGrowth(times(3), [series([0, 0, 0])])[0], { verdict: 'noise', slope: 0, sigma: 0 });
  t.same(judgeGrowth(times(3), []), []);
});

const NORMAL_TAILS: [number, number][] = [
  [0, 0.5],
  [1e-9, 0.49999999960105773],
  [0.1, 0.460172162722971],
  [0.5, 0.3085375387259869],
  [1, 0.15865525393145707],
  [1.5, 0.06680720126885809],
  [2, 0.02275013194817922],
  [2.25, 0.012224472655044704],
  [2.499, 0.006227215551988517],
  [2.5, 0.006209665325776139],
  [2.501, 0.006192158920326858],
  [2.75, 0.0029797632350545573],
  [3, 0.0013498980316300957],
  [3.5, 0.00023262907903552504],
  [4, 3.1671241833119965e-5],
  [5, 2.866515718791946e-7],
  [6, 9.865876450377012e-10],
  [8, 6.220960574271819e-16],
  [10, 7.619853024160593e-24],
  [20, 2.7536241186063314e-89],
  [30, 4.906713927148764e-198],
  [37, 5.725571222525139e-300],
];

t.test('tables', async (t) => {
  // Of Python's math.erfc, which is that of the C library.
  for (const [z, p] of NORMAL_TAILS) {
    t.ok(Math.abs(normalTail(z) / p - 1) < 1e-12, `normal ${z}: ${normalTail(z) / p - 1}`, {
      found: normalTail(z),
    });
    t.ok(Math.abs(normalTail(-z) - (1 - p)) < 1e-15, `normal ${-z}`);
  }
  t.equal(normalTail(Number.POSITIVE_INFINITY), 0);
  t.equal(normalTail(Number.NEGATIVE_INFINITY), 1);
  t.equal(normalTail(50), 0);
  const table = [
    [1, 6.3138, 0.05],
    [1, 318.309, 0.001],
    [2, 2.92, 0.05],
    [3, 4.5407, 0.01],
    [4, 2.1318, 0.05],
    [8, 4.5008, 0.001],
    [9, 4.2968, 0.001],
    [28, 3.4082, 0.001],
  ] as const;
  for (const [degrees, value, p] of table) {
    t.ok(Math.abs(studentTail(value, degrees) / p - 1) < 1e-3, `t ${degrees} ${value}`, {
      found: studentTail(value, degrees),
    });
  }
});
