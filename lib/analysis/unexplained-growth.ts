import type { Growth } from './growth.js';
import type { ProfileSites, SiteSeries } from './leak-sites.js';
import { normalTail } from './tail-probability.js';

/** A site that grew, by too few samples for a verdict. */
export interface WeakSite {
  name: string;
  /** Bytes from the first profile to the last. */
  growth: number;
  samples: [first: number, last: number];
  /** How many times as long it would take, at this rate, until the growth is certain; more than 1. */
  times: number;
  /** The sample interval at which it would have been certain in the time that there was. */
  sampleInterval: number;
}

export interface UnexplainedGrowth {
  /** Bytes in use from the first profile to the last, and what of it no site in the report explains. */
  growth: number;
  unexplained: number;
  /** The largest growth first. */
  weak: WeakSite[];
  /** How many more samples a site has to have at the end than at first, for its growth to be certain. */
  samplesNeeded: number;
}

const CERTAIN = 0.001;
/**
 * A line through the points uses their samples less well than the difference of the last two would (6/5 for many points),
 * and the scatter about the line has to agree.
 */
const ALLOWANCE = 1.5;

/** What the report does not say of growth, and what it would take to know. */
export function unexplainedGrowth(
  profiles: readonly ProfileSites[],
  judged: readonly { site: SiteSeries; growth: Growth }[],
): UnexplainedGrowth {
  const growth = profiles.at(-1)!.bytes - profiles[0]!.bytes;
  const grown = ({ points }: SiteSeries) => points.at(-1)!.bytes - points[0]!.bytes;
  const explained = judged
    .filter((each) => each.growth.verdict !== 'noise')
    .reduce((sum, { site }) => sum + grown(site), 0);
  const samplesNeeded = Math.ceil(ALLOWANCE * deviationsFor(CERTAIN / Math.max(1, judged.length)) ** 2);
  const weak = judged
    .filter(({ site, growth: { verdict, slope } }) => verdict === 'noise' && slope > 0 && grown(site) > 0)
    .map(({ site }): WeakSite => {
      const samples: [number, number] = [site.points[0]!.samples, site.points.at(-1)!.samples];
      const more = Math.max(1, samples[1] - samples[0]);
      return {
        name: site.name,
        growth: grown(site),
        samples,
        // The error is that of all its samples, of which some may have been there before.
        times: Math.max(1, (samplesNeeded * (samples[1] + samples[0])) / more ** 2),
        sampleInterval: 2 ** Math.max(9, Math.floor(Math.log2(grown(site) / samplesNeeded))),
      };
    })
    .filter(({ times }) => times > 1)
    .sort((a, b) => b.growth - a.growth);
  return { growth, unexplained: growth - Math.max(0, explained), weak, samplesNeeded };
}

/** How many standard deviations a normal value exceeds with that probability. */
function deviationsFor(chance: number): number {
  let [low, high] = [0, 40];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (normalTail(middle) > chance) low = middle;
    else high = middle;
  }
  return high;
}
