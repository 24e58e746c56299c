import { invalidType, memprofError } from '../base/errors.js';
import {
  checkNotProfiling,
  countAwaited,
  countCalls,
  isThenable,
  meterAwaited,
  meterCalls,
} from './bracket.js';
import type { Outcome, Plan } from './plan.js';
import type { Awaitable } from './types.js';

let running = false;

/**
 * Calls the function once to see whether it is async, then follows the plan. Throws `ERR_MEMPROF_SAMPLER_BUSY` while
 * another measurement or the profiler runs on this thread.
 */
export function runPlan<Returned, Result>(
  fn: () => Returned,
  plan: Plan<Result>,
): Awaitable<Returned, Result> {
  checkFunction(fn);
  checkNotProfiling();
  if (running) {
    throw memprofError(
      'ERR_MEMPROF_SAMPLER_BUSY',
      'another measurement is running on this thread: await it before you start the next one',
    );
  }
  running = true;
  let later = false;
  try {
    const first = fn();
    if (!isThenable(first)) return follow(fn, plan) as Awaitable<Returned, Result>;
    later = true;
    return followAwaiting(first, fn, plan).finally(() => {
      running = false;
    }) as Awaitable<Returned, Result>;
  } finally {
    if (!later) running = false;
  }
}

export function checkFunction(fn: unknown): void {
  if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn);
}

function follow<Result>(fn: () => unknown, plan: Plan<Result>): Result {
  let step = plan.next();
  while (!step.done) {
    const asked = step.value;
    const outcome: Outcome =
      asked.do === 'meter'
        ? { do: 'meter', got: meterCalls(fn, asked.calls) }
        : { do: 'count', got: countCalls(fn, asked.calls, asked.interval, asked.kept) };
    step = plan.next(outcome);
  }
  return step.value;
}

async function followAwaiting<Result>(
  first: PromiseLike<unknown>,
  fn: () => unknown,
  plan: Plan<Result>,
): Promise<Result> {
  await first;
  const resolved = Promise.resolve();
  const nothing = () => resolved;
  let step = plan.next();
  while (!step.done) {
    const asked = step.value;
    const outcome: Outcome =
      asked.do === 'meter'
        ? {
            do: 'meter',
            got: await meterAwaited(fn, asked.calls),
            ours: await meterAwaited(nothing, asked.calls),
          }
        : {
            do: 'count',
            got: await countAwaited(fn, asked.calls, asked.interval, asked.kept),
            ours: await countAwaited(nothing, asked.calls, asked.interval, asked.kept),
          };
    step = plan.next(outcome);
  }
  return step.value;
}
