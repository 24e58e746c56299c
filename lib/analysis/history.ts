import { type NativeMoment, native } from '../addon/native.js';
import type { Granularity } from '../base/choices.js';
import { captureOf, toProfile, withSources } from '../capture/pipeline.js';
import { unprofiledBuffers } from '../capture/remarks.js';
import { unsample } from '../profile/heap-values.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { foldInternals } from './internals.js';
import {
  addToSite,
  type NamedStack,
  namedStacks,
  type ProfileSites,
  type SiteSeries,
  sampled,
  seriesOf,
} from './leak-sites.js';

/** What the process remembers of its heap, as `/debug/pprof/history` answers. Bytes; times in seconds since 1970. */
export interface History extends Remembered {
  /** The same of the memory of Buffers, where it is profiled. */
  buffers?: Remembered;
  /** About how many bytes Buffers take now, where they are not profiled. */
  unprofiledBuffers?: number;
}

export interface Remembered {
  /** The oldest first. */
  moments: HistoryMoment[];
  sites: HistorySite[];
}

export interface HistoryMoment {
  time: number;
  /** The heap of all threads, after a major collection. */
  heap: number;
  /** Outside of it, of the thread that collected. */
  external: number;
  rss: number;
  /** In use by the samples, scaled up. */
  inUse: number;
  /** Sampled bytes of the smallest records, which were left out to save memory. */
  leftOut: number;
}

export interface HistorySite {
  name: string;
  /** The stack of this site that grew most. */
  frames: readonly string[];
  /** One for each moment: bytes, samples, variance of the bytes. */
  points: [bytes: number, samples: number, variance: number][];
}

export interface HistoryOptions {
  /** Milliseconds. */
  since?: number | undefined;
  granularity?: Granularity;
  showInternals?: boolean;
  /** Whether frames of built code are as in its sources. Default true. */
  sourceMaps?: boolean;
}

// More say nothing more about growth, and take longer.
const MOST_MOMENTS = 60;

export async function readHistory(options: HistoryOptions = {}): Promise<History> {
  const { heap, buffers } = native().readStatus();
  const history: History = await readRemembered(options, heap.sampleInterval, false);
  if (buffers.sampleInterval === 0) history.unprofiledBuffers = unprofiledBuffers().bytes;
  else history.buffers = await readRemembered(options, buffers.sampleInterval, true);
  return history;
}

async function readRemembered(
  options: HistoryOptions,
  sampleInterval: number,
  ofBuffers: boolean,
): Promise<Remembered> {
  const {
    since = Number.POSITIVE_INFINITY,
    granularity = 'places',
    showInternals = false,
    sourceMaps = true,
  } = options;
  const ages = native().historyTimes(ofBuffers);
  const recent = Array.from(ages.keys()).filter((index) => ages[index]! <= since);
  const read = evenly(recent, MOST_MOMENTS)
    .map((index) => native().readMoment(index, ofBuffers))
    .filter((moment) => moment !== null);
  const named = await nameStacks(read, { granularity, showInternals, sourceMaps, sampleInterval, ofBuffers });
  const now = Date.now();
  const moments: HistoryMoment[] = [];
  const profiles: ProfileSites[] = [];
  for (const moment of read) {
    const { external, rss, heapUsed, leftOutBytes, ageMs, figures, stacks } = moment;
    const all: ProfileSites = { bytes: 0, allocated: undefined, external, sites: new Map() };
    // There may be some 200,000 records in all.
    for (let i = 0; i < stacks.length; i++) {
      const [bytes, objects] = [figures[4 * i]!, figures[4 * i + 2]!];
      const inUse = sampled(...unsample(objects, bytes, sampleInterval), sampleInterval);
      addToSite(all, named.get(stacks[i]!)!, inUse);
    }
    profiles.push(all);
    moments.push({
      time: (now - ageMs) / 1000,
      heap: heapUsed,
      external,
      rss,
      inUse: all.bytes,
      leftOut: leftOutBytes,
    });
  }
  const sites = seriesOf(profiles).map(({ name, frames, points }): HistorySite => {
    return { name, frames, points: points.map((each) => [each.bytes, each.samples, each.variance]) };
  });
  return { moments, sites };
}

/** Names each stack once, since most are in many moments. */
async function nameStacks(
  moments: readonly NativeMoment[],
  options: Required<Omit<HistoryOptions, 'since'>> & { sampleInterval: number; ofBuffers: boolean },
): Promise<Map<number, NamedStack>> {
  const { sampleInterval, ofBuffers, sourceMaps, showInternals, granularity } = options;
  const [first] = moments;
  if (first === undefined) return new Map();
  const stacks = Uint32Array.from(new Set(moments.flatMap((moment) => [...moment.stacks])));
  const ones = new Float64Array(stacks.length).fill(1);
  const each = {
    ...first,
    stacks,
    figures: new Float64Array(4 * stacks.length).fill(1),
    sizeLimits: ones,
    threads: new Uint32Array(stacks.length),
    labels: new Uint32Array(stacks.length),
    intervals: new Uint16Array(stacks.length),
  };
  const raw = {
    ...captureOf(each, sampleInterval, ofBuffers),
    name: 'peak' as const,
    memStats: readMemStats(),
  };
  const profile = toProfile(await withSources(raw, { sourceMaps }));
  const named = namedStacks(showInternals ? profile : foldInternals(profile), granularity);
  return new Map(named.map((stack, at) => [stacks[at]!, stack]));
}

/** Some of them, the first and the last among them. */
function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))]!);
}

/** What `formatLeaks` takes. */
export interface SeriesOfHistory {
  profiles: ProfileSites[];
  times: number[];
  series: SiteSeries[];
  buffers?: SeriesOfHistory;
}

/** Buffers are left out where too few moments of them are remembered to compare. */
export function seriesOfHistory(history: History): SeriesOfHistory {
  const { buffers, unprofiledBuffers } = history;
  const heap = seriesOfRemembered(history);
  const last = heap.profiles.at(-1);
  if (last !== undefined && unprofiledBuffers !== undefined) last.unprofiledBuffers = unprofiledBuffers;
  return buffers !== undefined && buffers.moments.length >= 2
    ? { ...heap, buffers: seriesOfRemembered(buffers) }
    : heap;
}

function seriesOfRemembered({ moments, sites }: Remembered): SeriesOfHistory {
  return {
    profiles: moments.map(({ inUse, external, rss }) => ({
      bytes: inUse,
      allocated: undefined,
      external,
      rss: rss === 0 ? undefined : rss,
      sites: new Map(),
    })),
    times: moments.map(({ time }) => time - moments[0]!.time),
    series: sites.map(({ name, frames, points }) => ({
      name,
      frames,
      points: points.map(([bytes, samples, variance]) => ({ bytes, samples, variance })),
    })),
  };
}
