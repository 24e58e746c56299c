import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseProfile } from '#dist/index.js';
import { memprof } from '../support/cli.js';
import { programPath, report } from '../support/run.js';

interface Peak {
  types: string[];
  age: number;
  fill: number;
  keep: number;
  filled: number;
  kept: number;
  atPeak: number;
  now: number;
  source: string;
  textBegin: string;
}

const INTERVAL = 524_288;
// What the optimiser inlines counts in the caller.
const flags = ['--no-opt', '--no-maglev'];

for (const mode of ['direct', 'public']) {
  t.test(`the profile of the peak has what was in use then: ${mode} samples`, async (t) => {
    const { atPeak, now, ...peak } = await report<Peak>('peak', { flags, args: [mode, 300] });
    t.ok(atPeak > 300 * 2 ** 20 && now < 60 * 2 ** 20, `${atPeak} bytes at the peak, ${now} at the end`);
    t.strictSame(peak.types, ['inuse_objects', 'inuse_space']);
    t.ok(peak.age > 0 && peak.age < 600_000);
    for (const [found, real] of [
      [peak.fill, peak.filled],
      [peak.keep, peak.kept],
    ] as const) {
      // A Poisson number of samples, each of an interval: 4 sigma, and the 3 % that the heap may have grown since.
      const sigma = Math.sqrt(real * INTERVAL);
      t.ok(
        found > real * 0.97 - 4 * sigma && found < real + 4 * sigma,
        `${found} found of ${real}, sigma ${sigma}`,
      );
    }
    t.match(peak.textBegin, /^heap profile: \d+: \d+ \[\d+: \d+\] @ heap\/1048576$/);
  });
}

t.test('memprof run writes the peak where it was larger than the end', async (t) => {
  const dir = t.testdir({});
  const { code, stderr } = memprof(['run', '--dir', dir, programPath('peak'), 'direct', '60']);
  t.equal(code, 0);
  t.match(
    stderr,
    /memprof-peak\.\S+\.pb\.gz: what was in use when the heap was largest, \S+ ?MB after a collection at \d\d:\d\d:\d\d/,
  );
  const [file] = readdirSync(dir).filter((name) => name.startsWith('memprof-peak.'));
  const { comments, samples } = parseProfile(readFileSync(path.join(dir, file!)));
  t.match(comments[0], /^memprof: the heap was largest then, with \d+ bytes after a collection$/);
  t.ok(samples.some(({ stack }) => stack.some(({ fileName }) => fileName.endsWith('peak.cjs'))));
});
