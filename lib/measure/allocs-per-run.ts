import { checkInteger } from '../base/check.js';
import type { Plan } from './plan.js';
import { runPlan } from './run-plan.js';
import type { Awaitable } from './types.js';

/**
 * Go's `testing.AllocsPerRun`: the average number of allocations of a call of the function, over `runs` calls after one
 * to warm up. Always a whole number, rounded down, so that something rare is none.
 *
 * Allocations are events, as `Measurement.allocsPerOp` has them: objects that V8 takes in one piece count once. Go
 * counts objects; and Go's compiler has finished by then, but V8 may optimise in the middle of the runs: `measure`
 * waits until figures are stable. A promise that the function returns is awaited before the next call; then the
 * result is a promise, too.
 *
 * `runs` is 1 … 2^31 - 1. Throws as `measure` does.
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
