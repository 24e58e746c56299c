import { meterOnThread } from '../addon/meter-on-thread.js';
import { MergedLocations } from './merge-locations.js';
import { type Column, type Labels, type MergedProfile, toProfileData } from './merged.js';
import type { ProfileData, Sample } from './model.js';
import { withCommonUnits } from './units.js';

/**
 * The sum of profiles, minus that of others (`base`), by the rules of `go tool pprof`, its `Merge`: which samples,
 * locations, mappings and functions are the same, in which order they come, and what becomes of times and comments.
 * `isDifference` labels the samples of the base: reports then take it for 100 %.
 *
 * Throws `ProfileMismatch`.
 */
export function mergeProfiles(
  profiles: readonly ProfileData[],
  base: readonly ProfileData[] = [],
  isDifference = false,
): MergedProfile {
  return meterOnThread(() => {
    const merged = merge(withCommonUnits(profiles));
    if (base.length === 0) return merged;
    const negative = toProfileData(merge(withCommonUnits(base)));
    negative.samples = negative.samples.map((sample) => negated(sample, isDifference));
    return merge(withCommonUnits([toProfileData(merged), negative]));
  });
}

/** The label by which a report finds the samples of the profile that it compares with. */
export const BASE_LABEL = 'pprof::base';

function negated(sample: Sample, isDifference: boolean): Sample {
  const { exactValues: _, ...rest } = sample;
  return {
    ...rest,
    // 0 is added since there is a -0.
    values: sample.values.map((value) => -value + 0),
    ...(isDifference && { labels: Object.assign(copyOf(sample.labels), { [BASE_LABEL]: ['true'] }) }),
  };
}

function copyOf<T>(labels: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null), labels);
}

function merge(profiles: readonly ProfileData[]): MergedProfile {
  const isExact = profiles.some(({ samples }) =>
    samples.some(({ exactValues }) => exactValues !== undefined),
  );
  return (isExact ? undefined : tryMerge(profiles, false)) ?? tryMerge(profiles, true)!;
}

/** Undefined where sums are too large for doubles. */
function tryMerge(profiles: readonly ProfileData[], exact: boolean): MergedProfile | undefined {
  const locations = new MergedLocations();
  const samples = new MergedSamples(profiles, exact);
  for (const profile of profiles) {
    locations.begin(profile);
    for (const sample of profile.samples) {
      if (!sample.values.some((value) => value !== 0)) continue;
      samples.add(sample, locations.indexesOf(sample.stack));
    }
  }
  if (samples.isRounded) return undefined;
  const head = combinedHead(profiles);
  const merged: MergedProfile = {
    head,
    sampleTypes: head.sampleTypes,
    mappings: locations.mappings,
    locations: locations.locations,
    ...samples.finish(),
  };
  // As Go does: what was used by samples that cancelled out must not stay.
  return samples.hasZeros() ? merge([toProfileData(merged)]) : merged;
}

function combinedHead(profiles: readonly ProfileData[]): MergedProfile['head'] {
  const [first] = profiles;
  let [time, duration, period] = [0n, 0n, 0n];
  for (const each of profiles) {
    const own = each.exactTimeNanos ?? toBigInt(each.timeNanos ?? 0);
    if (time === 0n || own < time) time = own;
    duration += each.exactDurationNanos ?? toBigInt(each.durationNanos ?? 0);
    const ownPeriod = each.exactPeriod ?? toBigInt(each.period);
    if (period === 0n || period < ownPeriod) period = ownPeriod;
  }
  const { samples: _, mappings: __, timeNanos: ___, exactTimeNanos, ...rest } = first!;
  const { durationNanos, exactDurationNanos, exactPeriod, statedSampleType: ____, ...head } = rest;
  const stated = profiles.find(({ statedSampleType }) => statedSampleType)?.statedSampleType;
  const isStated = head.sampleTypes.some(({ type }) => type === stated);
  return {
    ...head,
    ...(stated !== undefined && { statedSampleType: stated }),
    // If a file states no default type, the one there was may have been chosen by the caller.
    ...(isStated && first!.statedSampleType === undefined && { defaultSampleType: stated! }),
    period: Number(period),
    ...(isRounded(period) && { exactPeriod: period }),
    ...(time !== 0n && { timeNanos: Number(time) }),
    ...(isRounded(time) && { exactTimeNanos: time }),
    ...(duration !== 0n && { durationNanos: Number(duration) }),
    ...(isRounded(duration) && { exactDurationNanos: duration }),
    comments: [...new Set(profiles.flatMap(({ comments }) => comments))],
  };
}

function toBigInt(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

function isRounded(value: bigint): boolean {
  return BigInt(Number(value)) !== value;
}

const NO_KEY = '';

/** Samples by their stack and labels, in the order of their first appearance. */
class MergedSamples {
  isRounded = false;
  #count = 0;
  #stacks = new Uint32Array(1024);
  #used = 0;
  #starts: Uint32Array;
  #ends: Uint32Array;
  #labelIds: Uint32Array;
  readonly #columns: Column[];
  /** Open addressing: 1 + the index of a sample, 0 where there is none. */
  readonly #slots: Uint32Array;
  readonly #labels: Labels[] = [];
  readonly #labelIdsByKey = new Map<string, number>();
  readonly #labelIdsByNumbers = new Map<object, number>();

  constructor(
    profiles: readonly ProfileData[],
    readonly exact: boolean,
  ) {
    const most = profiles.reduce((sum, { samples }) => sum + samples.length, 0);
    this.#starts = new Uint32Array(most);
    this.#ends = new Uint32Array(most);
    this.#labelIds = new Uint32Array(most);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(most * 2 + 2)));
    this.#columns = profiles[0]!.sampleTypes.map(() =>
      exact ? new BigInt64Array(most) : new Float64Array(most),
    );
  }

  add(sample: Sample, stack: readonly number[]): void {
    const labelId = this.#labelId(sample);
    const index = this.#find(stack, labelId);
    const { values, exactValues } = sample;
    for (let at = 0; at < this.#columns.length; at++) {
      const column = this.#columns[at]!;
      if (column instanceof BigInt64Array) {
        column[index] = column[index]! + (exactValues?.[at] ?? toBigInt(values[at]!));
      } else {
        const sum = column[index]! + values[at]!;
        column[index] = sum;
        if (Math.abs(sum) > Number.MAX_SAFE_INTEGER) this.isRounded = true;
      }
    }
  }

  #find(stack: readonly number[], labelId: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hash = labelId + 0x9e3779b9;
    for (const id of stack) hash = Math.imul(hash ^ id, 0x01000193) ^ (hash >>> 15);
    hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot]!;
      if (known === 0) {
        slots[slot] = this.#count + 1;
        return this.#append(stack, labelId);
      }
      if (this.#labelIds[known - 1] === labelId && this.#hasStack(known - 1, stack)) return known - 1;
    }
  }

  #hasStack(index: number, stack: readonly number[]): boolean {
    const start = this.#starts[index]!;
    if (this.#ends[index]! - start !== stack.length) return false;
    for (let at = 0; at < stack.length; at++) {
      if (this.#stacks[start + at] !== stack[at]) return false;
    }
    return true;
  }

  #append(stack: readonly number[], labelId: number): number {
    const index = this.#count++;
    if (this.#used + stack.length > this.#stacks.length) {
      const grown = new Uint32Array(Math.max(this.#stacks.length * 1.5, this.#used + stack.length));
      grown.set(this.#stacks);
      this.#stacks = grown;
    }
    this.#starts[index] = this.#used;
    this.#stacks.set(stack, this.#used);
    this.#used += stack.length;
    this.#ends[index] = this.#used;
    this.#labelIds[index] = labelId;
    return index;
  }

  #labelId(sample: Sample): number {
    const { labels, numLabels, exactNumLabels, numUnits } = sample;
    const isPlain = numUnits === undefined && exactNumLabels === undefined && isEmpty(labels);
    // Readers share the labels of equal samples.
    const shared = isPlain ? this.#labelIdsByNumbers.get(numLabels) : undefined;
    if (shared !== undefined) return shared;
    const key = isPlain && isEmpty(numLabels) ? NO_KEY : labelKey(sample);
    let id = this.#labelIdsByKey.get(key);
    if (id === undefined) {
      id = this.#labels.length;
      this.#labelIdsByKey.set(key, id);
      this.#labels.push({
        labels,
        numLabels,
        ...(exactNumLabels && { exactNumLabels }),
        ...(numUnits && { numUnits }),
      });
    }
    if (isPlain) this.#labelIdsByNumbers.set(numLabels, id);
    return id;
  }

  hasZeros(): boolean {
    for (let i = 0; i < this.#count; i++) {
      // Of bigints, too.
      if (this.#columns.every((column) => !column[i])) return true;
    }
    return false;
  }

  finish(): Pick<MergedProfile, 'count' | 'stacks' | 'starts' | 'ends' | 'columns' | 'labels'> {
    const labels = Array.from(this.#labelIds.subarray(0, this.#count), (id) => this.#labels[id]!);
    return {
      count: this.#count,
      stacks: this.#stacks,
      starts: this.#starts,
      ends: this.#ends,
      columns: this.#columns,
      labels,
    };
  }
}

function isEmpty(labels: object): boolean {
  for (const _ in labels) return false;
  return true;
}

function labelKey({ labels, numLabels, exactNumLabels, numUnits = {} }: Sample): string {
  const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const exact = Object.entries(exactNumLabels ?? {}).map(([key, values]) => `${key}:${values.join()}`);
  return JSON.stringify([sorted(labels), sorted(numLabels), sorted(numUnits), exact.sort()]);
}
