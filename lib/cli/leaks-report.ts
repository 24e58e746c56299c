import { type Growth, judgeGrowth, MIN_CERTAIN, type Verdict } from '../analysis/growth.js';
import type { ProfileSites, SiteSeries } from '../analysis/leak-sites.js';
import type { Style } from '../analysis/style.js';
import { type UnexplainedGrowth, unexplainedGrowth } from '../analysis/unexplained-growth.js';
import { formatTime, formatValue } from '../analysis/units.js';
import { printable } from '../base/text.js';

export interface LeaksReportOptions {
  /** How many sites to show; 0 shows all there are. */
  nodeCount: number;
  /** Also show sites that do not grow steadily. */
  all: boolean;
  style: Style;
}

/** `times` are in seconds, ascending. If they are undefined, the profiles are taken to be evenly spaced. */
export function formatLeaks(
  profiles: readonly ProfileSites[],
  times: readonly number[] | undefined,
  series: readonly SiteSeries[],
  { nodeCount, all, style }: LeaksReportOptions,
): string {
  const growths = judgeGrowth(times ?? profiles.map((_, at) => at), series);
  const judged = series.map((site, at) => ({ site, growth: growths[at]! })).sort(byVerdictAndGrowth);
  const found = judged.filter(({ growth }) => growth.verdict !== 'noise');
  const chosen = all ? judged : found;
  const shown = nodeCount === 0 ? chosen : chosen.slice(0, nodeCount);
  const lines = [
    headline(profiles, times),
    ...externalLine(profiles),
    ...buffersLine(profiles),
    ...residentLine(profiles),
  ];
  if (found.length === 0) {
    lines.push(`None of ${judged.length} ${judged.length === 1 ? 'site' : 'sites'} grows steadily.`);
  }
  if (shown.length > 0) {
    const rate = rateOf(
      times !== undefined,
      shown.map(({ growth }) => growth.slope),
    );
    lines.push(style.bold(tableHead(rate)));
    for (const { site, growth } of shown) lines.push(row(site, growth, rate, style), ...stackLines(site));
  }
  if (found.length > 0) {
    const rest = found.length - (all ? found.length : shown.length);
    const others = judged.length - found.length;
    if (rest > 0) lines.push(`${rest} more ${rest === 1 ? 'grows' : 'grow'}: see --node-count.`);
    lines.push(
      others === 1
        ? '1 other site does not grow steadily, or grows too little to be sure.'
        : `${others} other sites do not grow steadily, or grow too little to be sure.`,
    );
  }
  lines.push(...unexplainedLines(unexplainedGrowth(profiles, judged), times?.at(-1)));
  if (profiles.length < MIN_CERTAIN) {
    lines.push(
      profiles.length === 2
        ? 'Two profiles cannot distinguish steady growth from a single rise: take more profiles.'
        : `Nothing is certain with fewer than ${MIN_CERTAIN} profiles: take more profiles.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const ORDER: Readonly<Record<Verdict, number>> = { certain: 0, likely: 1, noise: 2 };

function byVerdictAndGrowth(a: { growth: Growth }, b: { growth: Growth }): number {
  return ORDER[a.growth.verdict] - ORDER[b.growth.verdict] || atLeast(b.growth) - atLeast(a.growth);
}

/** Sites are ordered by the growth that is nearly sure: one that goes up and down may have a steep but uncertain slope. */
function atLeast({ slope, sigma }: Growth): number {
  return slope - NEARLY_SURE * sigma;
}
const NEARLY_SURE = 2;

function headline(profiles: readonly ProfileSites[], times: readonly number[] | undefined): string {
  const duration = times === undefined ? undefined : times.at(-1)! - times[0]!;
  const within = duration === undefined ? 'without times' : `over ${formatTime(duration)}`;
  const [first, last] = [profiles[0]!, profiles.at(-1)!].map(({ bytes }) => formatValue(bytes, 'bytes'));
  return `${profiles.length} profiles ${within}; in use: ${first} at first, ${last} at last`;
}

/** Memory that grows may lie outside the heap, where heap profiles do not see it. */
function externalLine(profiles: readonly ProfileSites[]): string[] {
  const [first, last] = [profiles[0]!.external, profiles.at(-1)!.external];
  if (first === undefined || last === undefined) return [];
  const [from, to] = [first, last].map((bytes) => formatValue(bytes, 'bytes'));
  return [`outside the heap (Buffers and others): ${from} at first, ${to} at last`];
}

/** Nothing where they are profiled, or no profile tells. */
function buffersLine(profiles: readonly ProfileSites[]): string[] {
  const bytes = profiles.at(-1)!.unprofiledBuffers;
  if (bytes === undefined) return [];
  return [
    `Buffers are not profiled, see start({ buffers }); they take ${formatValue(bytes, 'bytes')} at last`,
  ];
}

function residentLine(profiles: readonly ProfileSites[]): string[] {
  const [first, last] = [profiles[0]!.rss, profiles.at(-1)!.rss];
  if (first === undefined || last === undefined) return [];
  const [from, to] = [first, last].map((bytes) => formatValue(bytes, 'bytes'));
  return [`resident memory (RSS): ${from} at first, ${to} at last`];
}

/** Growth below this, or below this share of what is in use, is not worth a word. */
const WORTH = { bytes: 64 * 1024, share: 0.02 };
const WEAK_SITES = 5;
const LONGEST_WAIT = 20;

/** What grows without a verdict, and what it would take to have one. `seconds` is the time from the first to the last. */
function unexplainedLines(
  { growth, unexplained, weak, samplesNeeded }: UnexplainedGrowth,
  seconds: number | undefined,
): string[] {
  if (unexplained < Math.max(WORTH.bytes, WORTH.share * growth)) return [];
  const size = (bytes: number) => formatValue(bytes, 'bytes');
  const lines = [`Not explained: ${size(unexplained)} of ${size(growth)} growth.`];
  if (weak.length === 0) return lines;
  lines.push(`Grown by too few samples to tell (a new site is certain at about ${samplesNeeded}):`);
  for (const { name, growth, samples, times, sampleInterval } of weak.slice(0, WEAK_SITES)) {
    const longer =
      seconds === undefined
        ? `${times.toFixed(1)} times as many profiles at this rate`
        : `${formatTime(seconds * (times - 1))} more at this rate`;
    const wait = times <= LONGEST_WAIT ? `wait about ${longer}, or ` : '';
    lines.push(
      `  ${size(growth).padStart(8)}  ${`${samples[0]} -> ${samples[1]}`.padStart(9)} samples  ${printable(name)}`,
      `            ${wait}start with sampleInterval ${size(sampleInterval)}`,
    );
  }
  if (weak.length > WEAK_SITES) lines.push(`  and ${weak.length - WEAK_SITES} more`);
  return lines;
}

const WIDTHS = { growth: 14, sigma: 10, samples: 16, chance: 8 };

function tableHead({ unit }: Rate): string {
  return (
    `growth/${unit}`.padStart(WIDTHS.growth) +
    '+-'.padStart(WIDTHS.sigma) +
    'samples'.padStart(WIDTHS.samples) +
    'chance'.padStart(WIDTHS.chance) +
    '  verdict  site'
  );
}

function row({ name, points }: SiteSeries, growth: Growth, rate: Rate, style: Style): string {
  const { slope, sigma, chance, verdict } = growth;
  const samples = `${points[0]!.samples} -> ${points.at(-1)!.samples}`;
  const bytes = (value: number) => formatValue(value * rate.seconds, 'bytes');
  const figures = bytes(slope).padStart(WIDTHS.growth) + bytes(sigma).padStart(WIDTHS.sigma);
  const weight = { certain: '100%', likely: '1%', noise: '0%' }[verdict];
  return (
    style.weight(figures, weight) +
    samples.padStart(WIDTHS.samples) +
    formatChance(chance).padStart(WIDTHS.chance) +
    `  ${verdict.padEnd(7)}  ${printable(name)}`
  );
}

function formatChance(chance: number): string {
  if (chance < 0.001) return '<0.001';
  return chance >= 0.995 ? '1' : chance.toPrecision(chance < 0.01 ? 1 : 2);
}

const INDENT = ' '.repeat(Object.values(WIDTHS).reduce((sum, width) => sum + width) + '  verdict    '.length);
const MAX_FRAMES = 12;

function stackLines({ name, frames: all }: SiteSeries): string[] {
  const frames = all[0] === name ? all.slice(1) : all;
  const lines = frames.slice(0, MAX_FRAMES).map((frame) => `${INDENT}  ${printable(frame)}`);
  if (frames.length > MAX_FRAMES) lines.push(`${INDENT}  … ${frames.length - MAX_FRAMES} more`);
  return lines;
}

/** The unit of growth: per time, or from one profile to the next. */
interface Rate {
  seconds: number;
  unit: string;
}

/** Chooses the shortest time in which the table's largest growth is a kilobyte or more. */
function rateOf(timed: boolean, slopes: readonly number[]): Rate {
  if (!timed) return { seconds: 1, unit: 'profile' };
  const largest = slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0);
  if (largest >= 1024) return { seconds: 1, unit: 's' };
  return largest * 60 >= 1024 ? { seconds: 60, unit: 'min' } : { seconds: 3600, unit: 'h' };
}
