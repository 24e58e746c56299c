import type { Granularity } from '../base/choices.js';
import type { ProfileData } from '../profile/model.js';
import { type Filters, filterSamples } from './filters.js';
import { findMapping, nodeName } from './graph.js';
import { sampled } from './leak-sites.js';

/** Standard errors by the name of a node: of what its own frames allocated. */
export type Errors = ReadonlyMap<string, number>;

/**
 * How far sampling may have put the figures of column `index` off, by leaf: one standard deviation. Several profiles are one
 * and those that are subtracted from it. Undefined if they are not heap profiles, or everything was sampled.
 */
export function samplingErrors(
  profiles: readonly ProfileData[],
  index: number,
  { granularity, filters }: { granularity: Granularity; filters: Filters },
): Errors | undefined {
  const variances = new Map<string, number>();
  for (const profile of profiles) {
    const columns = columnsOf(profile, index);
    if (columns === undefined || profile.period <= 1) return undefined;
    for (const { values, stack } of filterSamples(profile, filters).profile.samples) {
      const [objects, bytes] = columns.map((column) => values[column]!);
      const point = sampled(objects!, bytes!, profile.period);
      if (point.samples === 0) continue;
      const leaf = stack[0];
      const name = leaf === undefined ? '<unknown>' : nodeName(leaf, granularity, findMapping(profile, leaf));
      // Objects of one size: their number is off by the same share as their bytes.
      const unit = index === columns[0] ? (objects! / bytes!) ** 2 : 1;
      variances.set(name, (variances.get(name) ?? 0) + point.variance * unit);
    }
  }
  return new Map(Array.from(variances, ([name, variance]) => [name, Math.sqrt(variance)]));
}

/** The columns of objects and bytes to which `index` belongs. */
function columnsOf(
  { sampleTypes }: ProfileData,
  index: number,
): [objects: number, bytes: number] | undefined {
  const stem = /^(.*?)_?(objects|space)$/.exec(sampleTypes[index]!.type)?.[1];
  if (stem === undefined) return undefined;
  const column = (what: string) =>
    sampleTypes.findIndex(({ type }) => type === (stem === '' ? what : `${stem}_${what}`));
  const [objects, bytes] = [column('objects'), column('space')];
  return objects === -1 || bytes === -1 ? undefined : [objects, bytes];
}
