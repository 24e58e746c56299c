import { readCapture, toSampledProfile } from '../capture/pipeline.js';
import { type CapturedSample, samplesInSources } from '../capture/source-maps.js';
import { type BucketSample, bucketSamples, changesSince } from '../profile/delta.js';
import { scaleUp } from '../profile/heap-values.js';
import { NO_LABELS } from '../profile/labels.js';
import type { ProfileData } from '../profile/model.js';

/**
 * Profiles of the heap of what was allocated since the last one that was accepted, and of all that is in use. The
 * difference is taken of sampled figures: scaled ones may fall while a bucket grows, as its mean size changes.
 */
export class AllocatedSince {
  readonly #sourceMaps: boolean;
  #accepted = withoutInUse(readSamples().now);

  constructor(sourceMaps: boolean) {
    this.#sourceMaps = sourceMaps;
  }

  /** Threads are not told apart. `accept` makes this the profile that the next one's allocations count from. */
  async read(): Promise<{ profile: ProfileData; accept(): void }> {
    const { now, profile } = readSamples();
    const changed = changesSince(this.#accepted, now) as CapturedSample[];
    const samples = this.#sourceMaps ? await samplesInSources(changed) : changed;
    return {
      profile: scaleUp({ ...profile, samples: samples.map((sample) => ({ ...sample, labels: NO_LABELS })) }),
      accept: () => {
        this.#accepted = withoutInUse(now);
      },
    };
  }
}

function readSamples(): { now: BucketSample[]; profile: ProfileData } {
  const capture = readCapture('heap');
  const profile = toSampledProfile(capture);
  return { now: bucketSamples(capture.records, profile), profile };
}

/** Nothing is subtracted of what is in use. */
function withoutInUse(samples: readonly BucketSample[]): BucketSample[] {
  return samples.map(({ key, allocated, sample }) => {
    const [objects = 0, bytes = 0] = sample.values;
    return {
      key,
      allocated,
      sample: { values: [objects, bytes, 0, 0], stack: [], labels: NO_LABELS, numLabels: NO_LABELS },
    };
  });
}
