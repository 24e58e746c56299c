import { nativeIfLoaded } from './native.js';

/**
 * Calls the function, and, if this thread is profiled, counts its CPU time as time that memprof took from the program
 * (`overhead.writing` of `status()`). Writers use it for each synchronous piece of work; after an `await` they need another call.
 * Calls may be nested: nothing is counted twice. A call costs about a microsecond.
 */
export function meterOnThread<T>(fn: () => T): T {
  const addon = nativeIfLoaded();
  if (addon === undefined) return fn();
  const begin = addon.writingClock();
  try {
    return fn();
  } finally {
    addon.countWriting(begin);
  }
}
