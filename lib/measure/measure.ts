import { completeOptions } from '../base/check-options.js';
import { measurePlan } from './plan.js';
import { runPlan } from './run-plan.js';
import type { Awaitable, Measurement, MeasureOptions } from './types.js';

export function checkMeasureOptions(options: MeasureOptions | undefined): Required<MeasureOptions> {
  return completeOptions('measure', options);
}

/**
 * Measures what one call of the function allocates on V8's heap: bytes, allocation events, garbage collections, and where.
 *
 * The function is called many times, without arguments. If it returns a promise, it is awaited before the next call, and
 * the result is a promise too. The function's return value leaves it, so V8 cannot optimise its allocation away. The
 * figures exclude what the measurement itself allocates: a function that does nothing measures 0. They include the
 * promise of an async function, and whatever else the thread does while that awaits.
 *
 * V8's sampler counts every allocation (interval 1). The records of memprof's profile are not touched.
 *
 * Throws, or rejects with, the errors of the function; `ERR_MEMPROF_SAMPLER_BUSY` while memprof or something else samples
 * this thread's heap; `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_NO_BINARY`.
 */
export function measure<Returned>(
  fn: () => Returned,
  options?: MeasureOptions,
): Awaitable<Returned, Measurement> {
  return runPlan(fn, measurePlan(checkMeasureOptions(options)));
}
