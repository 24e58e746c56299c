import type { Granularity } from '../base/choices.js';
import { mergeProfiles } from '../profile/merge.js';
import type { MergedProfile } from '../profile/merged.js';
import type { ProfileData } from '../profile/model.js';
import { type Filters, filterSamples } from './filters.js';
import { nodeName } from './graph.js';
import { sampled } from './leak-sites.js';

/** Standard errors by the name of a node: of what its own frames allocated. */
export type Errors = ReadonlyMap<string, number>;

/**
 * How far sampling may have put the figures of column `index` off, by leaf: one standard deviation. Several profiles are one
 * and those that are subtracted from it. Undefined if they are not heap profiles, or everything was sampled.
 */
export function samplingErrors(
  profiles: readonly (ProfileData | MergedProfile)[],
  index: number,
  { granularity, filters }: { granularity: Granularity; filters: Filters },
): Errors | undefined {
  const variances = new Map<string, number>();
  for (const each of profiles) {
    const whole = 'samples' in each ? mergeProfiles([each]) : each;
    const columns = columnsOf(whole, index);
    const { period } = whole.head;
    if (columns === undefined || period <= 1) return undefined;
    const { profile } = filterSamples(whole, filters);
    const names = profile.locations.map(({ frames, mapping }) =>
      frames[0] === undefined ? '' : nodeName(frames[0], granularity, mapping),
    );
    for (const i of profile.kept) {
      const [objects, bytes] = columns.map((column) => Number(profile.columns[column]![i]!));
      const point = sampled(objects!, bytes!, period);
      if (point.samples === 0) continue;
      let leaf = profile.starts[i]!;
      while (profile.hidden[profile.stacks[leaf]!] === 1) leaf++;
      const name = names[profile.stacks[leaf]!]!;
      // Objects of one size: their number is off by the same share as their bytes.
      const unit = index === columns[0] ? (objects! / bytes!) ** 2 : 1;
      variances.set(name, (variances.get(name) ?? 0) + point.variance * unit);
    }
  }
  return new Map(Array.from(variances, ([name, variance]) => [name, Math.sqrt(variance)]));
}

/** The columns of objects and bytes to which `index` belongs. */
function columnsOf(
  { sampleTypes }: MergedProfile,
  index: number,
): [objects: number, bytes: number] | undefined {
  const stem = /^(.*?)_?(objects|space)$/.exec(sampleTypes[index]!.type)?.[1];
  if (stem === undefined) return undefined;
  const column = (what: string) =>
    sampleTypes.findIndex(({ type }) => type === (stem === '' ? what : `${stem}_${what}`));
  const [objects, bytes] = [column('objects'), column('space')];
  return objects === -1 || bytes === -1 ? undefined : [objects, bytes];
}
