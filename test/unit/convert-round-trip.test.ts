import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { formatRaw } from '#dist/analysis/raw.js';
import { prepare, viewOf } from '#dist/analysis/report.js';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import type { ProfileData } from '#dist/profile/model.js';
import { goPprof, memprof } from '../support/cli.js';
import { randomProto } from '../support/protos.js';
import { seededRandom } from '../support/random.js';
import { needs } from '../support/tools.js';

// Through Go, which takes a quarter of a second each.
const COUNT = process.env.MEMPROF_TEST_SOAK === '1' ? 1000 : 12;

t.test('reading and writing again loses nothing, 2,000 times', async (t) => {
  const random = seededRandom(7);
  for (let i = 0; i < 2000; i++) {
    const first = parseProfile(randomProto(random));
    const again = parseProfile(encodeProto(first));
    if (!t.strictSame(rawOf(again), rawOf(first), `proto ${i}`)) return;
    for (const field of ['docUrl', 'dropFrames', 'keepFrames', 'statedSampleType'] as const) {
      if (again[field] !== first[field]) t.fail(`${field} of proto ${i}`);
    }
  }
});

t.test(
  `go tool pprof -raw says the same of ${COUNT} protos and of what convert makes of them`,
  needs('go'),
  async (t) => {
    const folder = t.testdir({});
    const [before, after] = [path.join(folder, 'x.pb.gz'), path.join(folder, 'y.pb.gz')];
    for (let i = 0; i < COUNT; i++) {
      const bytes = randomProto(seededRandom(i));
      writeFileSync(before, gzipSync(bytes));
      // One by the command, the others by what it calls.
      if (i === 0) t.equal(memprof(['convert', before, '-o', after]).code, 0);
      else writeFileSync(after, encodeProto(parseProfile(bytes)));
      const expected = goPprof(['-raw', before]);
      if (!t.equal(goPprof(['-raw', after]), expected, `proto ${i}`)) return;
      if (!t.equal(rawOf(parseProfile(bytes)).join(''), expected, `memprof's own text of proto ${i}`)) return;
    }
  },
);

function rawOf(profile: ProfileData): string[] {
  return [...formatRaw(viewOf(prepare(profile, [], { plainNames: true }), '', {}).profile)];
}
