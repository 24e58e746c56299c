import t from 'tap';
import { formatLifetimes } from '#dist/analysis/lifetimes-text.js';
import { parseProfile } from '#dist/index.js';
import { report } from '../support/run.js';

interface Report {
  /** In base64. */
  profile: string;
  refused: string;
  folded: string;
  died: number;
  age: [least: number, most: number];
  kept: number;
}

// What the optimiser inlines counts in the caller.
const flags = ['--no-opt', '--no-maglev', '--expose-gc'];
const supported = process.platform === 'linux' && process.arch === 'x64';
const skip = supported ? false : 'lifetimes are known only where samples are taken directly: on Linux x64';
const INTERVAL = 16384;
/** Of an array: itself and its elements. */
const sizeOf = (length: number) => 32 + 16 + 8 * length;

t.test(
  'lifetimes: what died young, what outlived a major collection, and what is kept',
  { skip },
  async (t) => {
    const { died, age, kept, ...rest } = await report<Report>('lifetimes', { flags, args: ['direct'] });
    const profile = parseProfile(Buffer.from(rest.profile, 'base64'));
    t.equal(profile.defaultSampleType, 'promoted_space');
    const sumsOf = (name: string) => {
      const sums: Record<string, number> = {};
      for (const { values, stack } of profile.samples) {
        if (stack[0]?.functionName !== name) continue;
        for (const [at, { type }] of profile.sampleTypes.entries())
          sums[type] = (sums[type] ?? 0) + values[at]!;
      }
      return sums;
    };
    const middle = sumsOf('middle');
    const real = died * sizeOf(50);
    // A Poisson number of samples, each of an interval.
    const sigma = Math.sqrt(real * INTERVAL);
    const found = middle.promoted_space!;
    t.ok(
      Math.abs(found - real) < 4.5 * sigma,
      `${found} bytes of ${real} died in middle age, sigma ${sigma}`,
    );
    t.ok(middle.temporary_space! < found / 100, 'none of it died young');
    const mean = middle.promoted_age! / middle.promoted_objects!;
    // Of some 2500 samples, whose ages differ by about the half; times are of 17 ms.
    const off = (4.5 * age[1]) / 2 / 50 + 17;
    t.ok(mean > age[0] - off && mean < age[1] + off, `${mean} ms old, of ${age[0]} to ${age[1]}`);

    const temporary = sumsOf('temporary');
    t.ok(temporary.temporary_space! > 50e6 && temporary.promoted_space! < temporary.temporary_space! / 100);
    const keep = sumsOf('keep');
    const realKept = kept * sizeOf(100);
    t.ok(
      Math.abs(keep.kept_space! - realKept) < 4.5 * Math.sqrt(realKept * INTERVAL),
      `${keep.kept_space} kept of ${realKept}`,
    );
    t.equal(keep.promoted_space, 0);

    const text = formatLifetimes(profile);
    t.match(text, /^ +[\d.]+MB +\d+ +[\d.]+m?s +\S+ +\S+ {2}middle \S+lifetimes\.cjs:\d+$/m);
    t.match(text, /^ +0 +0 +- +[\d.]+MB +\S+ {2}temporary \S+lifetimes\.cjs:\d+$/m);
    t.match(rest.folded, /;middle \S+ \d{6,}$/m, 'one value of it is that of what was promoted');
    t.equal(rest.refused, 'ERR_MEMPROF_OUT_OF_RANGE', "Go's text has no place for it");
  },
);

t.test('of samples that V8 takes, lifetimes are not known, and the profile says so', async (t) => {
  const { profile } = await report<Report>('lifetimes', { flags, args: ['public'] });
  const { samples, comments } = parseProfile(Buffer.from(profile, 'base64'));
  t.strictSame(samples, []);
  t.match(comments[0], /^memprof: lifetimes are only known of samples that memprof takes itself/);
});
