import { checkBoolean, checkInteger, checkOptions } from './check.js';
import { memprofError } from './errors.js';
import { NativeStartResult, native } from './native.js';
import type { StartOptions } from './types.js';

const MIB = 1024 * 1024;

/**
 * Profiles the calling thread's allocations from here on. Each thread (worker) starts for itself; all count into the
 * same records.
 *
 * Calling it again while it runs changes nothing. After `stop()` it goes on with the records there are; what was in use
 * then counts as freed, since V8 forgot it.
 *
 * Throws
 * - `TypeError` (`ERR_MEMPROF_INVALID_ARG_TYPE`), `RangeError` (`ERR_MEMPROF_OUT_OF_RANGE`) for options,
 * - `ERR_MEMPROF_SAMPLER_BUSY` if somebody else already uses V8's sampling heap profiler in this thread,
 * - `ERR_MEMPROF_INTERVAL` if there are records of another `sampleInterval`, from before or from another thread,
 * - `ERR_MEMPROF_STILL_RUNNING` for `reset` while a thread is profiled,
 * - `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 */
export function start(options?: StartOptions): void {
  const { sampleInterval = 0, stackDepth = 64, maxTableBytes = 0, reset = false } = checkOptions(options);
  if (options?.sampleInterval !== undefined)
    checkInteger(sampleInterval, 'options.sampleInterval', 1, 2 ** 30);
  checkInteger(stackDepth, 'options.stackDepth', 1, 512);
  if (options?.maxTableBytes !== undefined)
    checkInteger(maxTableBytes, 'options.maxTableBytes', MIB, 1024 * MIB);
  checkBoolean(reset, 'options.reset');
  switch (native().start(sampleInterval, stackDepth, maxTableBytes, reset)) {
    case NativeStartResult.samplerBusy:
      throw memprofError(
        'ERR_MEMPROF_SAMPLER_BUSY',
        'somebody else samples the heap of this thread (an inspector, --heap-prof, another profiler): stop it first',
      );
    case NativeStartResult.otherInterval:
      throw memprofError(
        'ERR_MEMPROF_INTERVAL',
        `there are records sampled every ${native().readStatus().sampleInterval} bytes, which cannot be mixed with ` +
          `${sampleInterval}: use the same sampleInterval, or stop() in all threads and start({ reset: true })`,
      );
    case NativeStartResult.resetWhileRunning:
      throw memprofError(
        'ERR_MEMPROF_STILL_RUNNING',
        'records can only be reset while no thread is profiled: call stop() in each of them first',
      );
  }
}

/**
 * Ends profiling of the calling thread; figures freeze as of its last garbage collection and can still be read. Without
 * effect if it does not run. When the thread itself ends, what it had in use counts as freed.
 */
export function stop(): void {
  native().stop();
}

/** What the profiler is doing. Counts and bytes over all threads, times in nanoseconds. */
export interface Status {
  /** Of the calling thread; `displaced` when somebody else stopped V8's sampler behind our back. */
  state: 'stopped' | 'running' | 'displaced';
  /** Mean bytes between two samples; 0 before the first start. */
  sampleInterval: number;
  /** Of the calling thread; 0 before its first start. */
  stackDepth: number;
  /** How often V8's samples were read. */
  harvests: number;
  /** Wall time that took, in all and at most. */
  harvestNs: number;
  maxHarvestNs: number;
  /** Samples met; lost: taken by V8 and gone before they could be read; published: counted in records. */
  samplesSeen: number;
  samplesLost: number;
  samplesPublished: number;
  samplesLive: number;
  /** Nodes of V8's call trees that are known. */
  treeNodes: number;
  /** Memory of the threads' own maps. */
  isolateBytes: number;
  /** Threads with memprof loaded, of these profiled, and those that ended. */
  isolates: number;
  isolatesRunning: number;
  isolatesEnded: number;
  /** Memory of the tables in use, taken from the system, and allowed. */
  tableBytes: number;
  tableCommittedBytes: number;
  maxTableBytes: number;
  frames: number;
  stacks: number;
  buckets: number;
  /** Stacks cut to their leaf frames, and samples counted as `(overflow)`, because the tables are full. */
  cutStacks: number;
  overflowAllocs: number;
}

export function status(): Status {
  const { state, ...figures } = native().readStatus();
  return { state: (['stopped', 'running', 'displaced'] as const)[state] ?? 'stopped', ...figures };
}
