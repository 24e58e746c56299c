import { scaleFactor } from '../../profile/scaling.js';

/** How figures of a text are turned into values: objects and bytes of one pair, scaled up from what was sampled. */
export type ScalePair = (objects: number, bytes: number) => [objects: number, bytes: number];

/** Go's reader, and Perl's for `heap_v2`; an interval of 0 or 1 leaves figures as they are. */
export function poissonScaling(interval: number): ScalePair {
  return (objects, bytes) => {
    if (objects === 0 || bytes === 0) return [0, 0];
    if (interval <= 1) return [objects, bytes];
    const factor = scaleFactor(objects, bytes, interval);
    return [toInt64(objects * factor), toInt64(bytes * factor)];
  };
}

const MAX_INT64 = 2 ** 63 - 1024;

/** A value that is too large becomes the largest one that fits, as in Go on ARM. Go on x86 takes the smallest integer instead. */
function toInt64(value: number): number {
  // 0 is added since -0.5 is truncated to -0.
  return Math.max(-MAX_INT64, Math.min(MAX_INT64, Math.trunc(value))) + 0;
}

/** Perl's for `heap_v2`, where a pair of which one is 0 stays as it is. Perl sums fractions up, so they are kept. */
export function guardedPoissonScaling(interval: number): ScalePair {
  return (objects, bytes) => {
    const ratio = bytes / objects / interval;
    return ratio > 0 && ratio < Number.POSITIVE_INFINITY
      ? times(objects, bytes, 1 / (1 - Math.exp(-ratio)))
      : [objects, bytes];
  };
}

/** Perl's for `heap`: as if every `interval` bytes had one object of the mean size sampled. */
export function ratioScaling(interval: number): ScalePair {
  return (objects, bytes) => {
    const ratio = bytes / objects / interval;
    return ratio > 0 && ratio < 1 ? times(objects, bytes, 1 / ratio) : [objects, bytes];
  };
}

export const noScaling: ScalePair = (objects, bytes) => [objects, bytes];

function times(objects: number, bytes: number, factor: number): [number, number] {
  return [objects * factor, bytes * factor];
}
