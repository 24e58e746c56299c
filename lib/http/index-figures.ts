// Sentences of the index page about memory and about the profiler.
import { formatValue } from '../analysis/units.js';
import { profiledThreads, type status } from '../sampler/status.js';

export interface Reading {
  /** Milliseconds since 1970. */
  at: number;
  heap: number;
}

const SOON_MS = 5000;

/** Undefined where too little time has passed to say anything. `when` is the earlier moment in words. */
export function changeSince(then: Reading, now: Reading, when: string): string | undefined {
  const passed = now.at - then.at;
  if (passed < SOON_MS) return undefined;
  const change = now.heap - then.heap;
  const minutes = passed / 60_000;
  const ago =
    minutes < 2
      ? `${Math.round(passed / 1000)} s`
      : minutes < 120
        ? `${Math.round(minutes)} min`
        : `${Math.round(minutes / 60)} h`;
  return `${megabytes(Math.abs(change))} ${change < 0 ? 'less' : 'more'} than ${when} ${ago} ago`;
}

export function statusLines(now: ReturnType<typeof status>): string[] {
  const threads = profiledThreads(now).length;
  if (threads === 0) return ['The profiler is not running.'];
  const { heap, overhead } = now;
  const age = heap.figuresAgeNs / 1e9;
  return [
    `memprof takes a sample every ${formatValue(heap.sampleInterval, 'bytes')} in ${threads} thread${threads === 1 ? '' : 's'}, for ${(overhead.total * 100).toFixed(2)} % of the time. ` +
      `Figures are as of the last garbage collection, ${age < 2 ? 'a moment' : `${age.toFixed(0)} s`} ago.`,
  ];
}

export const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
