import path from 'node:path';
import { type NativeAddon, type NativeCount, native } from '../addon/native.js';
import { memprofError } from '../base/errors.js';

/**
 * Counts what is allocated between two points in native code. For sync functions there is nothing between them but the
 * calls. For async functions there is a loop here with its `await`; its share is measured separately, with a promise that
 * is already resolved.
 */

const STACK_DEPTH = 64;
const HERE = __dirname + path.sep;

/** Bytes, minor collections, major collections, and their pauses in nanoseconds. */
export type Figures = Float64Array;
export const newFigures = (): Figures => new Float64Array(4);

/** A sample with this function marks the end of the count: see `native/heap/allocation_counter.h`. */
function memprofEndOfCount(): object {
  return new Array(markWords);
}
let markWords = 0;
const WORD_BYTES = 8;
/** The mark is so large that it is sampled: the chance that it is not is e^-64. */
const MARK_INTERVALS = 64;

function busy(): Error {
  return memprofError(
    'ERR_MEMPROF_SAMPLER_BUSY',
    'something else is sampling the heap of this thread (an inspector, --heap-prof, another profiler or measurement), ' +
      'so allocations cannot be counted: stop it first',
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
  markWords = (MARK_INTERVALS * interval) / WORD_BYTES;
  const count = addon.endCount(memprofEndOfCount);
  if (count === null) throw busy();
  return count;
}

/** Throws the errors of the function, and `ERR_MEMPROF_SAMPLER_BUSY`. */
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

/** Whether a frame belongs to memprof's own measuring code, outside the measured function. */
export function isOurs(url: string): boolean {
  return url.startsWith(HERE);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
