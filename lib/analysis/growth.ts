import { normalTail, studentTail } from './tail-probability.js';

// Which sites of a heap leak, from profiles over time. Two things may pass for a leak: the chance of sampling, and a site
// that truly goes up and down. Growth has to stand out against both.

/** One site in one profile. */
export interface LeakPoint {
  /** Bytes in use, scaled up, and how many samples they were scaled up from. */
  bytes: number;
  samples: number;
  /** Variance of `bytes` by sampling, if all of its samples were drawn anew: in bytes². */
  variance: number;
}

export interface LeakSeries {
  /** One for each time. */
  points: readonly LeakPoint[];
  /** Samples freed from the first time to the last, where that is known. */
  freedSamples?: number | undefined;
}

/**
 * `certain`: the chance that any site is called so that does not grow steadily is 1 in 1000 a report. `likely`: 1 in 20.
 * `noise`: all others.
 */
export type Verdict = 'certain' | 'likely' | 'noise';

export interface Growth {
  /** Of the fitted line, in bytes a unit of time. */
  slope: number;
  /** Standard error of the slope: by sampling, or by the scatter about the line if that is larger. */
  sigma: number;
  /** Chance that some site of the report looks like this without growing steadily, 0 … 1. */
  chance: number;
  verdict: Verdict;
}

const CERTAIN = 0.001;
const LIKELY = 0.05;
/** The scatter of fewer profiles says too little for a verdict of `certain`. */
export const MIN_CERTAIN = 4;

interface Fit {
  slope: number;
  sigma: number;
  /** One-sided chances, for one site: that sampling alone gives such a slope up or down, and that ups and downs do. */
  bySampling: number;
  byScatter: number;
}

/**
 * Judges sites that were seen together: the more there are, the more of them grow by chance. `times` rise, at least two
 * of them. With two profiles nothing is `certain`, since growth and going up once look the same.
 */
export function judgeGrowth(times: readonly number[], sites: readonly LeakSeries[]): Growth[] {
  const fits = sites.map((site) => fit(times, site));
  // Sites that truly change: what does not can only grow by the chance of sampling.
  const changing = fits.filter(({ bySampling }) => bySampling * sites.length < LIKELY).length;
  return fits.map(({ slope, sigma, bySampling, byScatter }) => {
    const sampling = bySampling * sites.length;
    const scatter = times.length < 3 ? 0 : byScatter * Math.max(1, changing);
    const chance = slope > 0 ? Math.min(1, Math.max(sampling, scatter)) : 1;
    return { slope, sigma, chance, verdict: verdictOf(chance, times.length) };
  });
}

function verdictOf(chance: number, profiles: number): Verdict {
  if (chance >= LIKELY) return 'noise';
  return chance < CERTAIN && profiles >= MIN_CERTAIN ? 'certain' : 'likely';
}

function fit(times: readonly number[], { points, freedSamples }: LeakSeries): Fit {
  // From the first on, so that no rounding makes a slope of what stays the same.
  const bytes = points.map((point) => point.bytes - points[0]!.bytes);
  const flat = line(
    times,
    bytes,
    bytes.map(() => 1),
  );
  const { slope, coefficients, scatter } = line(times, bytes, weightsOf(points, flat.fitted));
  const sampling = Math.sqrt(samplingVariance(coefficients, points, freedSamples));
  const degrees = times.length - 2;
  return {
    slope,
    sigma: Math.max(sampling, scatter),
    bySampling:
      slope === 0 ? 1 : normalTail(sampling === 0 ? Number.POSITIVE_INFINITY : Math.abs(slope) / sampling),
    byScatter: degrees < 1 ? 1 : Math.max(tail(slope, scatter, degrees), wanderingTail(times, bytes)),
  };
}

function tail(slope: number, sigma: number, degrees: number): number {
  if (slope <= 0) return 1;
  return studentTail(sigma === 0 ? Number.POSITIVE_INFINITY : slope / sigma, degrees);
}

interface Line {
  slope: number;
  /** The slope is the sum of the values times these. */
  coefficients: number[];
  fitted: number[];
  /** Standard error of the slope by the scatter about the line; 0 for two points. */
  scatter: number;
}

function line(times: readonly number[], values: readonly number[], weights: readonly number[]): Line {
  const total = sum(weights);
  const mean = sum(times.map((time, at) => weights[at]! * time)) / total;
  const spread = sum(times.map((time, at) => weights[at]! * (time - mean) ** 2));
  const coefficients = times.map((time, at) => (weights[at]! * (time - mean)) / spread);
  const slope = sum(values.map((value, at) => coefficients[at]! * value));
  const level = sum(values.map((value, at) => weights[at]! * value)) / total;
  const fitted = times.map((time) => level + slope * (time - mean));
  const squares = sum(values.map((value, at) => weights[at]! * (value - fitted[at]!) ** 2));
  const degrees = times.length - 2;
  return {
    slope,
    coefficients,
    fitted,
    scatter: degrees < 1 ? 0 : Math.sqrt(squares / degrees / spread),
  };
}

/** By the variance to be expected where the line goes; the one found is smallest where chance left samples out. */
function weightsOf(points: readonly LeakPoint[], fitted: readonly number[]): number[] {
  const samples = sum(points.map((point) => point.samples));
  const bytes = sum(points.map((point) => point.bytes));
  if (samples === 0 || bytes <= 0) return points.map(() => 1);
  const aSample = bytes / samples;
  return fitted.map((value) => 1 / (Math.max(0, value + points[0]!.bytes) / aSample + 1));
}

/**
 * Variance of the slope by sampling. Objects are sampled when they are allocated, so what stays in use is the same
 * samples in every profile, and its error cancels out. Which samples come and go is not known one by one; of the two
 * extremes the larger counts: that all but those that cannot have been freed are drawn anew for every profile, and that
 * only as many come or go as the count changes by, to stay so until the end.
 */
function samplingVariance(
  coefficients: readonly number[],
  points: readonly LeakPoint[],
  freedSamples: number | undefined,
): number {
  const [first] = points;
  const staying = freedSamples === undefined ? 0 : Math.max(0, first!.samples - freedSamples);
  const stayingVariance = first!.samples === 0 ? 0 : (first!.variance * staying) / first!.samples;
  let anew = 0;
  let lasting = 0;
  let after = 0;
  for (let at = points.length - 1; at >= 0; at--) {
    anew += coefficients[at]! ** 2 * Math.max(0, points[at]!.variance - stayingVariance);
    after += coefficients[at]!;
    if (at > 0) lasting += after ** 2 * Math.abs(points[at]!.variance - points[at - 1]!.variance);
  }
  return Math.max(anew, lasting);
}

/** Chance that what wanders, each step up or down by chance, gets this far: a line fits that all too well. */
function wanderingTail(times: readonly number[], values: readonly number[]): number {
  const duration = times.at(-1)! - times[0]!;
  const rate = (values.at(-1)! - values[0]!) / duration;
  let squares = 0;
  for (let at = 1; at < times.length; at++) {
    const step = times[at]! - times[at - 1]!;
    squares += (values[at]! - values[at - 1]! - rate * step) ** 2 / step;
  }
  const degrees = times.length - 2;
  return tail(rate, Math.sqrt(squares / degrees / duration), degrees);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
