import { native } from '../addon/native.js';
import type { Granularity } from '../base/choices.js';
import { captureOf, toProfile, withSources } from '../capture/pipeline.js';
import { externalComment } from '../profile/external-memory.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { foldInternals } from './internals.js';
import { type ProfileSites, type SiteSeries, seriesOf, sitesOf } from './leak-sites.js';

/** What the process remembers of its heap, as `/debug/pprof/history` answers. Bytes; times in seconds since 1970. */
export interface History {
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
  const {
    since = Number.POSITIVE_INFINITY,
    granularity = 'places',
    showInternals = false,
    sourceMaps = true,
  } = options;
  const { sampleInterval } = native().readStatus().heap;
  const memStats = readMemStats();
  const ages = native().historyTimes();
  const recent = Array.from(ages.keys()).filter((index) => ages[index]! <= since);
  const moments: HistoryMoment[] = [];
  const profiles: ProfileSites[] = [];
  for (const index of evenly(recent, MOST_MOMENTS)) {
    const moment = native().readMoment(index);
    if (moment === null) continue;
    const raw = { ...captureOf(moment, sampleInterval), name: 'peak' as const, memStats };
    const capture = await withSources(raw, { sourceMaps });
    const profile = toProfile(capture);
    const comments = [externalComment(moment.external)];
    const sites = sitesOf({ ...(showInternals ? profile : foldInternals(profile)), comments }, granularity);
    profiles.push(sites);
    moments.push({
      time: capture.timeNanos / 1e9,
      heap: moment.heapUsed,
      external: moment.external,
      rss: moment.rss,
      inUse: sites.bytes,
      leftOut: moment.leftOutBytes,
    });
  }
  const sites = seriesOf(profiles).map(({ name, frames, points }): HistorySite => {
    return { name, frames, points: points.map((each) => [each.bytes, each.samples, each.variance]) };
  });
  return { moments, sites };
}

/** Some of them, the first and the last among them. */
function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))]!);
}

/** What `formatLeaks` takes. */
export function seriesOfHistory({ moments, sites }: History): {
  profiles: ProfileSites[];
  times: number[];
  series: SiteSeries[];
} {
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
