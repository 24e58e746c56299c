import { checkInteger } from '../base/check.js';
import type { Plan } from './plan.js';
import { runPlan } from './run-plan.js';
import type { Awaitable } from './types.js';

/**
 * Go's `testing.AllocsPerRun`: the average number of allocations per call, over `runs` calls after one call to warm up. The
 * result is rounded down to a whole number, so that rare allocations do not count.
 *
 * Allocations are events, as in `Measurement.allocsPerOp`: objects that V8 allocates in one piece count once, whereas Go
 * counts objects. Go's code is compiled before it runs, but V8 may optimise the function during the runs; `measure`
 * waits until the figures are stable. If the function returns a promise, it is awaited before the next call, and the
 * result is a promise too.
 *
 * `runs` is 1 … 2^31 - 1. Throws the same errors as `measure`.
 */
export function allocsPerRun<Returned>(runs: number, fn: () => Returned): Awaitable<Returned, number> {
  checkInteger(runs, 'runs', 1, 2 ** 31 - 1);
  return runPlan(fn, eventsPlan(runs));
}

function* eventsPlan(runs: number): Plan<number> {
  const outcome = yield { do: 'count', calls: runs, interval: 1, kept: false };
  if (outcome.do !== 'count') throw new TypeError('a count step was answered by something else');
  return Math.floor((outcome.got.events - (outcome.ours?.events ?? 0)) / runs);
}
