import t from 'tap';
import type { Status } from '#dist/index.js';
import { type PlainRecord, relativeError, scaledSums } from '../support/figures.js';
import { report } from '../support/run.js';

interface Report {
  records: PlainRecord[];
  totalAlloc: number;
  status: Status;
}

const RANDOM: string[] = [];
const BY_V8 = { MEMPROF_DIRECT_SAMPLES: '0' };
// V8 then takes a sample exactly every interval. The formula expects them at random and is high by half an object a
// sample: 64 bytes, 0.4 % at 16 KiB.
const REGULAR = ['--sampling-heap-profiler-suppress-randomness'];

// Compiled in the background, the loop comes out of V8 14 (Node.js 26) in one run of thirty such that one sample is missing
// for each collection, 3 % here: V8's, as docs/accuracy.md says of optimised code. Compiled on the spot that is rare, not gone:
// one machine missed 0.5 to 0.7 % in each of six runs on Node.js 22.
const SAME_CODE = '--no-concurrent-recompilation';
const TRIES = 3;
const LEAST_SHARE = 0.99;

const cases = [
  // 22,900 samples: sigma 0.66 %, 3 % are 4.5 sigma.
  { name: '12 GB at the default interval', bytes: 12e9, interval: 524288, flags: RANDOM, within: 0.03 },
  // 244,000 samples: sigma 0.2 %, 1 % are 4.9 sigma.
  { name: '4 GB at 16 KiB, by V8', bytes: 4e9, interval: 16384, flags: RANDOM, within: 0.01, env: BY_V8 },
  {
    name: '12 GB, not at random, by V8',
    bytes: 12e9,
    interval: 524288,
    flags: REGULAR,
    within: 0.005,
    env: BY_V8,
  },
  { name: '4 GB at 16 KiB, not at random', bytes: 4e9, interval: 16384, flags: REGULAR, within: 0.005 },
];

t.jobs = 2;
for (const { name, bytes, interval, flags, within, env = {} } of cases) {
  t.test(name, { buffered: true }, async (t) => {
    const allocate = () =>
      report<Report>('allocate-plainly', {
        args: [String(bytes), String(interval)],
        flags: ['--expose-gc', SAME_CODE, ...flags],
        env: { ...process.env, ...env },
      });
    // Seen and lost are told from V8's own numbers of the samples: all that it took.
    const taken = ({ heap: { samplesSeen, samplesLost } }: Status) =>
      (samplesSeen + samplesLost) / (bytes / interval);
    let run = await allocate();
    for (let tries = 1; tries < TRIES && taken(run.status) < 1 - within; tries++) {
      t.comment(`V8 took ${(taken(run.status) * 100).toFixed(1)} % of the samples: once more`);
      run = await allocate();
    }
    const { records, totalAlloc, status } = run;
    t.equal(status.heap.samplesImputed, status.heap.samplesLost);
    t.equal(status.heap.sampleInterval, interval);
    const { allocBytes } = scaledSums(records, interval);
    // Not at random, the samples that V8 owes are known to one, and the records can stand for those only that it took.
    const share = flags === REGULAR ? Math.min(1, taken(status)) : 1;
    t.ok(share > LEAST_SHARE, 'V8 took its samples', { share });
    const errors = {
      records: relativeError(allocBytes, totalAlloc * share),
      totalAlloc: relativeError(totalAlloc, bytes),
    };
    const { samplesSeen, samplesLost, skippedCollections } = status.heap;
    t.ok(errors.records < within, 'the records add up to totalAlloc, as far as V8 took its samples', {
      ...errors,
      ...{ samplesSeen, samplesLost, skippedCollections },
    });
    // No statistics in this one; 0.05 % measured.
    t.ok(errors.totalAlloc < 0.005, 'totalAlloc is what was allocated', errors);
    t.comment(
      `records ${(errors.records * 100).toFixed(3)} %, totalAlloc ${(errors.totalAlloc * 100).toFixed(3)} %`,
    );
  });
}
