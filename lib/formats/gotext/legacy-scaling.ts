import { scaleFactor } from '../../profile/scaling.js';

/** How figures of a text are turned into values: objects and bytes of one pair, scaled up from what was sampled. */
export type ScalePair = (objects: number, bytes: number) => [objects: number, bytes: number];

/** Go's reader, and Perl's for `heap_v2`; an interval of 0 or 1 leaves figures as they are. */
export function poissonScaling(interval: number): ScalePair {
  return (objects, bytes) => {
    if (objects === 0 || bytes === 0) return [0, 0];
    const factor = scaleFactor(objects, bytes, interval);
    // 0 is added since -0.5 is truncated to -0.
    return [Math.trunc(objects * factor) + 0, Math.trunc(bytes * factor) + 0];
  };
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
