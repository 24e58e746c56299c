import path from 'node:path';
import { type NativeAddon, type NativeCount, native } from '../addon/native.js';
import { memprofError } from '../base/errors.js';

/**
 * What is counted lies between two points in native code. Calls of sync functions are all there is between them. For
 * async ones it is a loop here with its `await`, whose share is measured with a promise that is resolved already.
 */

const STACK_DEPTH = 64;
const HERE = __dirname + path.sep;

/** bytes, minor and major collections, their pauses in ns. */
export type Figures = Float64Array;
export const newFigures = (): Figures => new Float64Array(4);

/** V8's samples tell by this name where the count ends: see `native/heap/allocation_counter.h`. */
function memprofEndOfCount(): object {
  return new Array(markWords);
}
let markWords = 0;

function busy(): Error {
  return memprofError(
    'ERR_MEMPROF_SAMPLER_BUSY',
    'allocations can only be counted while nobody else samples the heap of this thread (an inspector, --heap-prof, ' +
      'another profiler or measurement): stop it first',
  );
}

/** Throws `ERR_MEMPROF_SAMPLER_BUSY` while memprof profiles this thread: V8 has one sampler, with one interval. */
export function checkNotProfiling(): void {
  if (native().readStatus().state !== 1) return;
  throw memprofError(
    'ERR_MEMPROF_SAMPLER_BUSY',
    'allocations cannot be counted while memprof profiles this thread: call stop() first',
  );
}

function endCount(addon: NativeAddon, interval: number): NativeCount {
  // So large that it is sampled: all but one in e^64.
  markWords = 8 * interval;
  const count = addon.endCount(memprofEndOfCount);
  if (count === null) throw busy();
  return count;
}

/** Throws what the function throws, and `ERR_MEMPROF_SAMPLER_BUSY`. */
export function countCalls(fn: () => unknown, calls: number, interval: number, kept: boolean): NativeCount {
  const addon = native();
  if (!addon.countCalls(fn, calls, interval, STACK_DEPTH, kept)) throw busy();
  return endCount(addon, interval);
}

export async function countAwaited(
  fn: () => unknown,
  calls: number,
  interval: number,
  kept: boolean,
): Promise<NativeCount> {
  const addon = native();
  if (!addon.startCount(interval, STACK_DEPTH, kept)) throw busy();
  let ended = false;
  try {
    for (let i = 0; i < calls; i++) await fn();
    ended = true;
    return endCount(addon, interval);
  } finally {
    if (!ended) addon.endCount();
  }
}

export function meterCalls(fn: () => unknown, calls: number): Figures {
  const figures = newFigures();
  native().meterCalls(fn, calls, figures);
  return figures;
}

export async function meterAwaited(fn: () => unknown, calls: number): Promise<Figures> {
  const addon = native();
  const figures = newFigures();
  addon.readMeter(figures, -1);
  for (let i = 0; i < calls; i++) await fn();
  addon.readMeter(figures, 1);
  return figures;
}

/** Whether a frame is one of the loops above, or what calls them: outside of what is measured. */
export function isOurs(url: string): boolean {
  return url.startsWith(HERE);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
