import { normalTail, studentTail } from './tail-probability.js';

// Judges from profiles over time which sites of a heap leak. Two things may look like a leak: the randomness of sampling,
// and a site that really goes up and down. Growth has to stand out against both.

/** One site in one profile. */
export interface LeakPoint {
  /** Bytes in use, scaled up, and the number of samples behind them. */
  bytes: number;
  samples: number;
  /** Variance of `bytes` due to sampling, in bytes², if all of its samples were drawn anew. */
  variance: number;
}

export interface LeakSeries {
  /** One for each time. */
  points: readonly LeakPoint[];
  /** Samples freed between the first and the last time, if known. */
  freedSamples?: number | undefined;
}

/**
 * `certain`: the chance that a report calls any site so that does not grow steadily is 1 in 1000. `likely`: it is 1 in 20.
 * `noise`: everything else.
 */
export type Verdict = 'certain' | 'likely' | 'noise';

export interface Growth {
  /** Slope of the fitted line, in bytes per unit of time. */
  slope: number;
  /** Standard error of the slope: that of sampling, or that of the scatter about the line if it is larger. */
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
  /** One-sided chances for one site that sampling alone, and that ups and downs alone, give such a slope. */
  bySampling: number;
  byScatter: number;
}

/**
 * Judges all sites of a report together, because the more there are, the more of them grow by chance. `times` are
 * ascending, at least two. With two profiles nothing is `certain`, because steady growth and a single rise look the same.
 */
export function judgeGrowth(times: readonly number[], sites: readonly LeakSeries[]): Growth[] {
  const fits = sites.map((site) => fit(times, site));
  // Count the sites that really change; all others can only seem to grow by sampling.
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
  // Relative to the first point, so that rounding gives no slope to a site that stays the same.
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
  /** The slope is the sum of the values multiplied by these. */
  coefficients: number[];
  fitted: number[];
  /** Standard error of the slope from the scatter about the line; 0 for two points. */
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

/** Weights by the variance expected on the line. The observed variance would favour points where chance missed samples. */
function weightsOf(points: readonly LeakPoint[], fitted: readonly number[]): number[] {
  const samples = sum(points.map((point) => point.samples));
  const bytes = sum(points.map((point) => point.bytes));
  if (samples === 0 || bytes <= 0) return points.map(() => 1);
  const aSample = bytes / samples;
  return fitted.map((value) => 1 / (Math.max(0, value + points[0]!.bytes) / aSample + 1));
}

/**
 * Variance of the slope due to sampling. Objects are sampled when they are allocated, so memory that stays in use has the
 * same samples in every profile, and its error cancels out. It is not known which samples come and go, so this takes the
 * larger variance of two extremes: either all samples are drawn anew for every profile, except those that cannot have
 * been freed; or only as many samples come or go as the count changes by, and then stay so until the end.
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

/** Chance that a random walk gets this far. A line fits a random walk all too well, so the scatter alone is misleading. */
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
