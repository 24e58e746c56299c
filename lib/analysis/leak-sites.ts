import type { Granularity } from '../base/choices.js';
import { externalBytesOf, residentBytesOf, unprofiledBuffersOf } from '../profile/external-memory.js';
import type { ProfileData, ProfileFrame } from '../profile/model.js';
import { findMapping, nodeName } from './graph.js';
import type { LeakPoint, LeakSeries } from './growth.js';

type Stack = readonly Readonly<ProfileFrame>[];

interface SiteStack {
  /** Names of the frames with their lines, leaf first. */
  frames: string[];
  bytes: number;
}

/** The figures of one site, which is all stacks with the same leaf, in one profile. */
export interface SiteFigures extends LeakPoint {
  /** Samples allocated since the program started; undefined if the profile does not tell. */
  allocated: number | undefined;
  stacks: Map<string, SiteStack>;
}

export interface ProfileSites {
  /** Bytes in use, and samples allocated, of all sites. */
  bytes: number;
  allocated: number | undefined;
  /** Bytes outside the heap, if the profile tells. */
  external: number | undefined;
  /** Bytes of Buffers, if they were not profiled and the profile tells. */
  unprofiledBuffers?: number | undefined;
  /** Resident memory of the process, if the profile tells. */
  rss?: number | undefined;
  sites: Map<string, SiteFigures>;
}

export class NoHeapProfile extends Error {}

/** Adds up a profile by site, so that the profile itself need not be kept. Throws `NoHeapProfile`. */
export function sitesOf(profile: ProfileData, granularity: Granularity): ProfileSites {
  const columns = columnsOf(profile);
  const namer = new Namer(profile);
  const all: ProfileSites = {
    bytes: 0,
    allocated: columns.allocated === undefined ? undefined : 0,
    external: externalBytesOf(profile.comments),
    unprofiledBuffers: unprofiledBuffersOf(profile.comments),
    rss: residentBytesOf(profile.comments),
    sites: new Map(),
  };
  for (const { values, stack } of profile.samples) {
    const inUse = sampled(values[columns.inUse[0]]!, values[columns.inUse[1]]!, profile.period);
    const site = addToSite(all, new NamedStack(stack, namer, granularity), inUse);
    if (columns.allocated !== undefined) {
      const [objects, bytes] = columns.allocated;
      const { samples } = sampled(values[objects]!, values[bytes]!, profile.period);
      site.allocated! += samples;
      all.allocated! += samples;
    }
  }
  return all;
}

/** The stack of each sample, as sites name it. For figures that are not those of the profile: see `addToSite`. */
export function namedStacks(profile: ProfileData, granularity: Granularity): NamedStack[] {
  const namer = new Namer(profile);
  return profile.samples.map(({ stack }) => new NamedStack(stack, namer, granularity));
}

export function addToSite(all: ProfileSites, named: NamedStack, inUse: LeakPoint): SiteFigures {
  let site = all.sites.get(named.site);
  if (site === undefined) {
    const allocated = all.allocated === undefined ? undefined : 0;
    site = { bytes: 0, samples: 0, variance: 0, allocated, stacks: new Map() };
    all.sites.set(named.site, site);
  }
  site.bytes += inUse.bytes;
  site.samples += inUse.samples;
  site.variance += inUse.variance;
  all.bytes += inUse.bytes;
  if (inUse.bytes > 0) {
    const { key, frames } = named.names;
    const there = site.stacks.get(key);
    if (there === undefined) site.stacks.set(key, { frames, bytes: inUse.bytes });
    else there.bytes += inUse.bytes;
  }
  return site;
}

export class NamedStack {
  readonly site: string;
  #names: { key: string; frames: string[] } | undefined;

  constructor(
    readonly stack: Stack,
    readonly namer: Namer,
    readonly granularity: Granularity,
  ) {
    this.site = stack[0] === undefined ? '<unknown>' : namer.nameOf(stack[0], granularity);
  }

  /** Made when they are asked for: most stacks of a profile have nothing in use. */
  get names(): { key: string; frames: string[] } {
    if (this.#names === undefined) {
      const frames = this.namer.namesOf(this.stack, this.granularity === 'lines' ? 'lines' : 'places');
      this.#names = { key: frames.join('\n'), frames };
    }
    return this.#names;
  }
}

type Columns = readonly [objects: number, bytes: number];

function columnsOf({ sampleTypes }: ProfileData): { inUse: Columns; allocated: Columns | undefined } {
  const column = (...names: string[]) => sampleTypes.findIndex(({ type }) => names.includes(type));
  const inUse = [column('inuse_objects', 'objects'), column('inuse_space', 'space')] as const;
  if (inUse.includes(-1)) throw new NoHeapProfile('not a heap profile: it has no figures of what is in use');
  const allocated = [column('alloc_objects'), column('alloc_space')] as const;
  return { inUse, allocated: allocated.includes(-1) ? undefined : allocated };
}

/**
 * A record's figures are scaled up from samples. This computes the number of samples, and the variance of the bytes: each
 * object of a size is sampled with the same probability, so the number of samples has a binomial distribution.
 */
export function sampled(objects: number, bytes: number, period: number): LeakPoint {
  if (objects <= 0 || bytes <= 0) return { bytes: 0, samples: 0, variance: 0 };
  const size = bytes / objects;
  const chance = period > 1 ? 1 - Math.exp(-size / period) : 1;
  // The result is not an integer, because figures were truncated after scaling.
  const samples = Math.max(1, Math.round(objects * chance));
  return { bytes, samples, variance: samples * (1 - chance) * (size / chance) ** 2 };
}

class Namer {
  readonly #names = new Map<Granularity, Map<Readonly<ProfileFrame>, string>>();

  constructor(readonly profile: ProfileData) {}

  nameOf(frame: Readonly<ProfileFrame>, granularity: Granularity): string {
    let names = this.#names.get(granularity);
    if (names === undefined) {
      names = new Map();
      this.#names.set(granularity, names);
    }
    let name = names.get(frame);
    if (name === undefined) {
      name = nodeName(frame, granularity, findMapping(this.profile, frame));
      names.set(frame, name);
    }
    return name;
  }

  namesOf(stack: Stack, granularity: 'lines' | 'places'): string[] {
    return stack.map((frame) => this.nameOf(frame, granularity));
  }
}

export interface SiteSeries extends LeakSeries {
  name: string;
  points: readonly LeakPoint[];
  /** The stack of this site that grew most. */
  frames: readonly string[];
}

const ABSENT: LeakPoint = { bytes: 0, samples: 0, variance: 0 };

/** Follows each site through all profiles, which are sorted by time. */
export function seriesOf(profiles: readonly ProfileSites[]): SiteSeries[] {
  const names = new Set(profiles.flatMap(({ sites }) => [...sites.keys()]));
  return [...names].map((name) => {
    const figures = profiles.map(({ sites }) => sites.get(name));
    return {
      name,
      points: figures.map((each) => each ?? ABSENT),
      freedSamples: freedSamples(profiles, figures),
      frames: fastestStack(figures),
    };
  });
}

/** Undefined if the figures of allocations do not cover all time: they fall, or are less than what is in use. */
function freedSamples(
  profiles: readonly ProfileSites[],
  figures: readonly (SiteFigures | undefined)[],
): number | undefined {
  const freed: number[] = [];
  let before = 0;
  for (const [at, figure] of figures.entries()) {
    const allocated = figure === undefined ? 0 : figure.allocated;
    if (profiles[at]!.allocated === undefined || allocated === undefined || allocated < before)
      return undefined;
    before = allocated;
    freed.push(allocated - (figure?.samples ?? 0));
  }
  const [first] = freed;
  const last = freed.at(-1);
  return freed.some((each) => each < 0) || last! < first! ? undefined : last! - first!;
}

function fastestStack(figures: readonly (SiteFigures | undefined)[]): readonly string[] {
  const first = figures[0]?.stacks;
  const stacks = [...figures].reverse().find((each) => each !== undefined && each.stacks.size > 0)?.stacks;
  let best: readonly string[] = [];
  let most = Number.NEGATIVE_INFINITY;
  for (const [key, { frames, bytes }] of stacks ?? []) {
    const growth = bytes - (first?.get(key)?.bytes ?? 0);
    if (growth > most) [best, most] = [frames, growth];
  }
  return best;
}
