import { unsample } from './heap-values.js';
import type { ProfileData, Sample, SampleType } from './model.js';

/**
 * The values of a profile of lifetimes. Promoted is what outlived a major garbage collection and died later; temporary is
 * what died before; kept is in use. The age is the sum over the promoted objects: divided by their number (`-mean` of
 * `go tool pprof`), it is the mean age at which they died.
 */
const LIFETIME_SAMPLE_TYPES: readonly Readonly<SampleType>[] = [
  { type: 'promoted_objects', unit: 'count' },
  { type: 'promoted_space', unit: 'bytes' },
  { type: 'promoted_age', unit: 'milliseconds' },
  { type: 'temporary_objects', unit: 'count' },
  { type: 'temporary_space', unit: 'bytes' },
  { type: 'kept_objects', unit: 'count' },
  { type: 'kept_space', unit: 'bytes' },
];

/**
 * A profile of lifetimes, scaled up, of a heap profile as it was sampled. `promoted` has three numbers for each sample:
 * promoted objects and bytes, and their mean age in milliseconds.
 */
export function lifetimesOf(heap: ProfileData, promoted: ArrayLike<number>): ProfileData {
  const valuesOf = ({ values }: Sample, at: number): number[] => {
    const [allocObjects = 0, allocBytes = 0, keptObjects = 0, keptBytes = 0] = values;
    const [objects, bytes, age] = [promoted[at]!, promoted[at + 1]!, promoted[at + 2]!];
    const ofPromoted = unsample(objects, bytes, heap.period);
    return [
      ...ofPromoted,
      Math.round(ofPromoted[0] * age),
      // Figures of different intervals are rounded.
      ...unsample(
        Math.max(0, allocObjects - keptObjects - objects),
        Math.max(0, allocBytes - keptBytes - bytes),
        heap.period,
      ),
      ...unsample(keptObjects, keptBytes, heap.period),
    ];
  };
  return {
    ...heap,
    sampleTypes: LIFETIME_SAMPLE_TYPES.map((each) => ({ ...each })),
    samples: heap.samples.map((sample, index) => {
      const { stack, labels, numLabels } = sample;
      return { values: valuesOf(sample, index * 3), stack, labels, numLabels };
    }),
  };
}
