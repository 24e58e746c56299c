import { type HeapProfileOptions, profileFromRecords } from './heap-values.js';
import type { ParsedProfile } from './model.js';
import type { MemProfileRecord } from './public-types.js';

/** Records as they were read at one moment, and as they are to be shown (with the frames of their sources, say). */
export interface Moment {
  records: readonly MemProfileRecord[];
  shown: readonly MemProfileRecord[];
  timeNanos: number;
}

/**
 * What happened between two moments: the later profile minus the earlier one, in all four values; samples without any
 * difference are left out. In-use figures are negative where more was freed than kept.
 *
 * Records are buckets, which stay where they are while new ones come before them: the same bucket is as far from the
 * end both times. After a reset nothing of the earlier moment is left, and all of the later one is new.
 */
export function deltaProfile(
  before: Moment,
  after: Moment,
  options: Omit<HeapProfileOptions, 'timeNanos'>,
): ParsedProfile {
  const timeNanos = after.timeNanos;
  const first = profileFromRecords(before.shown, { ...options, timeNanos });
  const second = profileFromRecords(after.shown, { ...options, timeNanos });
  const added = after.records.length - before.records.length;
  const isSame = before.records.every(
    (record, at) => after.records[at + added]?.stack() === record.stack() && added >= 0,
  );
  if (isSame) {
    first.samples.forEach(({ values }, at) => {
      const later = second.samples[at + added]!;
      later.values = later.values.map((value, column) => value - values[column]!);
    });
  }
  return {
    ...second,
    samples: second.samples.filter(({ values }) => values.some((value) => value !== 0)),
    durationNanos: Math.max(0, after.timeNanos - before.timeNanos),
  };
}
