import { completeOptions } from '../base/check-options.js';
import { measurePlan } from './plan.js';
import { runPlan } from './run-plan.js';
import type { Awaitable, Measurement, MeasureOptions } from './types.js';

export function checkMeasureOptions(options: MeasureOptions | undefined): Required<MeasureOptions> {
  return completeOptions('measure', options);
}

/**
 * What one call of the function allocates on V8's heap: bytes, allocation events, garbage collections, and where.
 *
 * The function is called without arguments, many times, and a promise it returns is awaited before the next call; then
 * the result is a promise too. Its return value escapes, so V8 cannot do without allocating it. What the measurement
 * itself allocates is not in the figures: a function that does nothing measures 0. An async function's own promise
 * is. While it awaits, whatever else the thread does counts, too.
 *
 * V8's sampler counts at interval 1, apart from memprof's profile, whose records are not touched.
 *
 * Throws (or rejects with) what the function throws, and `ERR_MEMPROF_SAMPLER_BUSY` while memprof, or somebody else,
 * samples this thread's heap; `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_NO_BINARY`.
 */
export function measure<Returned>(
  fn: () => Returned,
  options?: MeasureOptions,
): Awaitable<Returned, Measurement> {
  return runPlan(fn, measurePlan(checkMeasureOptions(options)));
}
