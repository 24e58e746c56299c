// What happened between two moments, as a profile.
import { bucketSamples, changesSince } from '../profile/delta.js';
import type { ProfileData } from '../profile/model.js';
import { type Capture, type Form, toProfile } from './pipeline.js';

/** The changes from one capture to a later one of the same profile, scaled up, with the time between them. */
export function changesBetween(before: Capture, after: Capture, form: Omit<Form, 'format'>): ProfileData {
  const [base, profile] = [toProfile(before, form), toProfile(after, form)];
  return {
    ...profile,
    samples: changesSince(bucketSamples(before.records, base), bucketSamples(after.records, profile)),
    durationNanos: Math.max(0, after.timeNanos - before.timeNanos),
  };
}
