import { native } from '../addon/native.js';
import { duration } from '../base/option-kinds.js';
import { type Capture, captureOf, readCapture, toProfile, withSources } from '../capture/pipeline.js';
import { bucketSamples, subtract } from '../profile/delta.js';
import type { ProfileData } from '../profile/model.js';

const WEEK_MS = 7 * 86_400_000;

export interface BetweenOptions {
  sourceMaps: boolean;
  signal: AbortSignal;
  program: string;
}

/**
 * What came into use and what went between two remembered moments, such as `-30m` and `now`. Of each the nearest is taken.
 * Returns a text that says what is wrong.
 */
export async function profileBetween(
  from: string,
  to: string,
  options: BetweenOptions,
): Promise<ProfileData | string> {
  const [fromAge, toAge] = [ageOf(from), ageOf(to === '' ? 'now' : to)];
  if (fromAge === undefined || toAge === undefined) {
    return 'invalid value for "from" or "to" - must be an age such as -30m, or now';
  }
  if (fromAge <= toAge) return '"from" must be before "to"';
  const before = momentNear(fromAge);
  const after = toAge === 0 ? { ...readCapture('heap'), name: 'peak' as const } : momentNear(toAge);
  if (before === undefined || after === undefined) {
    return 'nothing is remembered yet: a moment is remembered once a minute, at a major garbage collection';
  }
  if (after.timeNanos <= before.timeNanos) return 'only one moment is remembered there: see history';
  const [then, now] = [await withSources(before, options), await withSources(after, options)];
  const [base, profile] = [toProfile(then, options), toProfile(now, options)];
  return {
    ...profile,
    samples: subtract(bucketSamples(now.records, profile), bucketSamples(then.records, base)),
    durationNanos: now.timeNanos - then.timeNanos,
  };
}

/** In milliseconds. */
function ageOf(text: string): number | undefined {
  if (text === 'now') return 0;
  return text.startsWith('-') ? (duration(0, WEEK_MS).parse(text.slice(1)) as number | undefined) : undefined;
}

function momentNear(age: number): Capture | undefined {
  const ages = native().historyTimes(false);
  let nearest = 0;
  for (const [index, each] of ages.entries()) {
    if (Math.abs(each - age) < Math.abs(ages[nearest]! - age)) nearest = index;
  }
  const moment = native().readMoment(nearest, false);
  if (moment === null) return undefined;
  const { memStats } = readCapture('peak');
  return { ...captureOf(moment, native().readStatus().heap.sampleInterval), name: 'peak', memStats };
}
