'use strict';
// The statistics of the benchmarks: medians, and bootstrap intervals of them.

function quantile(values, q) {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

function median(values) {
  return quantile(values, 0.5);
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The median and its 95 % interval: percentiles of the medians of resampled values. */
function bootstrapMedian(values, resamples = 10_000, seed = 1) {
  const next = random(seed);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(next() * values.length)])),
  );
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** A copy in random order. */
function shuffled(values, next) {
  const copy = [...values];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** How much equidistant values rise from the first to the last, along the line of least squares. */
function rise(values) {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let above = 0;
  let below = 0;
  values.forEach((value, i) => {
    above += (i - middle) * (value - mean);
    below += (i - middle) ** 2;
  });
  return (above / below) * (values.length - 1);
}

module.exports = { bootstrapMedian, median, quantile, random, rise, shuffled };
