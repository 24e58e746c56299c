import { nativeIfLoaded } from './native.js';

/**
 * Calls the function and counts its CPU time on this thread as time that memprof took from the program
 * (`overhead.writing` of `status()`), unless this thread is not profiled. For whatever the writers do in one go; what comes after an
 * `await` needs a call of its own. May be nested: nothing is counted twice. Costs a microsecond.
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
