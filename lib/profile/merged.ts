import type { Mapping, ProfileData, ProfileFrame, Sample, SampleType } from './model.js';

/** A place in a program, with the calls that were inlined there: what `go tool pprof` calls a location. */
export interface Location {
  /** Exact: a bigint where a number would be rounded. */
  address: number | bigint;
  mapping: Readonly<Mapping> | undefined;
  /** Leaf first, each inlined into the next. One without a name if there are no symbols (`hasLines` is false). */
  frames: readonly Readonly<ProfileFrame>[];
  hasLines: boolean;
  folded: boolean;
}

export type Labels = Pick<Sample, 'labels' | 'numLabels' | 'exactNumLabels' | 'numUnits'>;

/** One figure of each sample: integers of 64 bits where doubles do not hold them all. */
export type Column = Float64Array | BigInt64Array;

/**
 * A sum of profiles, as `go tool pprof` makes it of all that it reads before it reports anything: samples with the same
 * stack and labels are one, and those of nothing but zeros are left out. It is kept in tables, since reports are made of
 * hundreds of thousands of samples.
 */
export interface MergedProfile {
  /** Sums and maxima of those of the profiles; samples are below. */
  head: Omit<ProfileData, 'samples' | 'mappings'>;
  sampleTypes: readonly SampleType[];
  /** The first one is the program. */
  mappings: readonly Mapping[];
  locations: readonly Location[];
  count: number;
  /** The stack of sample i, leaf first: `stacks` from `starts[i]` to `ends[i]`, which are indexes of `locations`. */
  stacks: Uint32Array;
  starts: Uint32Array;
  ends: Uint32Array;
  columns: readonly Column[];
  labels: readonly Labels[];
}

/** The samples as a profile has them. */
export function toProfileData(merged: MergedProfile): ProfileData {
  const { head, mappings, locations, stacks, starts, ends, columns, labels } = merged;
  const placed = locations.map(placedFrames);
  const samples: Sample[] = [];
  for (let i = 0; i < merged.count; i++) {
    const stack: Readonly<ProfileFrame>[] = [];
    for (let at = starts[i]!; at < ends[i]!; at++) stack.push(...placed[stacks[at]!]!);
    const exact = columns.map((column) => column[i]!);
    const values = exact.map(Number);
    samples.push({
      values,
      ...(values.some((value) => !Number.isSafeInteger(value)) && {
        exactValues: exact.map((value) => (typeof value === 'bigint' ? value : BigInt(Math.trunc(value)))),
      }),
      stack,
      ...labels[i]!,
    });
  }
  return { ...head, mappings: [...mappings], samples };
}

/** The frames of a location, which may have moved with its mapping when profiles were merged. */
function placedFrames({ frames, address, mapping }: Location): readonly Readonly<ProfileFrame>[] {
  const isThere = (frame: ProfileFrame) =>
    frame.mapping === mapping && (frame.exactAddress ?? frame.address) === address;
  if (frames.every(isThere)) return frames;
  return frames.map(({ exactAddress: _, mapping: __, ...frame }) => ({
    ...frame,
    address: Number(address),
    ...(typeof address === 'bigint' && { exactAddress: address }),
    ...(mapping !== undefined && { mapping }),
  }));
}
