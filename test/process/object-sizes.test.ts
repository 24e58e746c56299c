import t from 'tap';
import type { Status } from '#dist/index.js';
import { type PlainRecord, recordsOf, relativeError, scaledSums, tolerance } from '../support/figures.js';
import { report } from '../support/run.js';

interface Report {
  records: PlainRecord[];
  status: Status;
}

const KIB = 1024;
const INTERVAL = 512 * KIB;
const COUNT = 40_000;
const SIZES = [256 * KIB, 512 * KIB, 768 * KIB, 1024 * KIB];

// V8's own scaled counts are whole numbers for each sample, which puts these sizes off by up to 26 %.
t.test('objects about as large as the interval are counted right', async (t) => {
  const { records, status } = await report<Report>('large-objects', {
    args: [COUNT, ...SIZES].map(String),
    // A young generation with room for them: with the smallest there are 100,000 collections.
    flags: ['--expose-gc', '--min-semi-space-size=16'],
  });
  t.equal(status.heap.samplesLost, 0);
  t.equal(status.heap.displaced, 0, 'nobody else samples');
  for (const size of SIZES) {
    const own = recordsOf(records, 'allocateLarge').filter(
      (each) => each.allocBytes === each.allocObjects * size,
    );
    t.equal(own.length, 1, `${size / KIB} KiB: one record, with the true size of its objects`);
    const { allocBytes, inUseBytes } = scaledSums(own, INTERVAL);
    t.equal(inUseBytes, 0);
    // The smallest are sampled with 39 %: sigma 0.6 %, 5 % are 8 sigma.
    const error = relativeError(allocBytes, COUNT * size);
    t.ok(error < 0.05, `${size / KIB} KiB: allocated bytes within 5 %`, { error });
    // And so nearly that a wrong formula would show.
    t.ok(error < tolerance(COUNT, size, INTERVAL, 5), `${size / KIB} KiB: within 5 sigma`, { error });
  }
});
