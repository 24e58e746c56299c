import type { ProfileData, Sample } from './model.js';
import type { MemProfileRecord } from './public-types.js';

/** A sample, and what it counts: samples with equal keys count the same thing. */
export interface KeyedSample {
  key: unknown;
  sample: Sample;
}

/**
 * The samples of a profile minus those of another. Samples with equal keys become one, and those that come to nothing
 * are left out. What only the other profile has is negative.
 */
export function subtract(profile: Iterable<KeyedSample>, base: Iterable<KeyedSample>): Sample[] {
  const sums = new Map<unknown, { sample: Sample; values: number[] }>();
  const add = ({ key, sample }: KeyedSample, sign: 1 | -1) => {
    const there = sums.get(key);
    const values = sample.values.map((value, at) => sign * value + (there?.values[at] ?? 0));
    sums.set(key, { sample: there?.sample ?? sample, values });
  };
  for (const each of profile) add(each, 1);
  for (const each of base) add(each, -1);
  return Array.from(sums.values())
    .filter(({ values }) => values.some((value) => value !== 0))
    .map(({ sample, values }) => ({
      values,
      // The stack of a captured sample is read only when it is needed.
      stack: sample.stack,
      labels: sample.labels,
      numLabels: sample.numLabels,
      ...(sample.exactNumLabels && { exactNumLabels: sample.exactNumLabels }),
      ...(sample.numUnits && { numUnits: sample.numUnits }),
    }));
}

/** The sample of a bucket of this process. */
export interface BucketSample extends KeyedSample {
  /** Sampled objects that were allocated: only a reset lets them become fewer. */
  allocated: number;
}

/** The samples of a profile by bucket. The profile was made of these records and has a sample for each. */
export function bucketSamples(
  records: readonly MemProfileRecord[],
  { samples }: ProfileData,
): BucketSample[] {
  return records.map((record, at) => ({
    key: keyOf(record),
    sample: samples[at]!,
    allocated: record.allocObjects,
  }));
}

/** A record that knows its bucket by name, which is the same at every reading. Several buckets may share a stack. */
export interface BucketRecord extends MemProfileRecord {
  readonly bucket?: string | undefined;
}

function keyOf(record: BucketRecord): unknown {
  return record.bucket ?? record.stack();
}

/**
 * What happened since `before`, bucket by bucket. A bucket stays until all records are reset, so where one is missing,
 * nothing of `before` is left and everything is new; so is a bucket that has fewer allocations than it had.
 */
export function changesSince(before: readonly BucketSample[], now: readonly BucketSample[]): Sample[] {
  const allocatedNow = new Map(now.map(({ key, allocated }) => [key, allocated]));
  const isReset = before.some(({ key }) => !allocatedNow.has(key));
  return subtract(
    now,
    isReset ? [] : before.filter(({ key, allocated }) => allocatedNow.get(key)! >= allocated),
  );
}
