import { mkdirSync } from 'node:fs';
import { NativeStartResult, native, nativeIfLoaded } from '../addon/native.js';
import { memprofError } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import { tellWorkersOfProgram } from '../base/program.js';
import type { StartOptions } from '../profile/public-types.js';
import { unwrapWorkers, wrapWorkers } from './workers.js';

const displaced = lazily(() => require('./displaced.js') as typeof import('./displaced.js'));
const startOptions = lazily(() => require('./start-options.js') as typeof import('./start-options.js'));

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
 * - `ERR_MEMPROF_INTERVAL` if there are records of another `sampleInterval` or `bufferSampleInterval`, from before or
 *   from another thread,
 * - `ERR_MEMPROF_STILL_RUNNING` for `reset` while a thread is profiled,
 * - `ERR_MEMPROF_DIRECTORY` if the directory of `heapLimitDump` cannot be made,
 * - `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 */
export function start(options?: StartOptions): void {
  const { workers, ...checked } = startOptions().checkStartOptions(options);
  if (checked.heapLimitDump) makeDirectory(checked.heapLimitDump);
  displaced().watchForDisplacement();
  const existingBuffers = checked.buffers === 0 ? 0 : process.memoryUsage().arrayBuffers;
  switch (native().start({ ...checked, existingBuffers })) {
    case NativeStartResult.samplerBusy:
      throw memprofError(
        'ERR_MEMPROF_SAMPLER_BUSY',
        'somebody else samples the heap of this thread (an inspector, --heap-prof, another profiler): stop it first',
      );
    case NativeStartResult.otherInterval:
      throw memprofError(
        'ERR_MEMPROF_INTERVAL',
        `there are records sampled every ${native().readStatus().heap.sampleInterval} bytes, which cannot be mixed with ` +
          `${checked.sampleInterval}: use the same sampleInterval, or stop() in all threads and start({ reset: true })`,
      );
    case NativeStartResult.otherBufferInterval:
      throw memprofError(
        'ERR_MEMPROF_INTERVAL',
        `there are records of buffers sampled every ${native().readStatus().buffers.sampleInterval} bytes, which cannot ` +
          `be mixed with ${checked.bufferSampleInterval}: use the same bufferSampleInterval, or stop() in all threads ` +
          'and start({ reset: true })',
      );
    case NativeStartResult.resetWhileRunning:
      throw memprofError(
        'ERR_MEMPROF_STILL_RUNNING',
        'records can only be reset while no thread is profiled: call stop() in each of them first',
      );
  }
  tellWorkersOfProgram();
  if (workers) wrapWorkers();
}

/** Now: when the heap is full it is too late. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw memprofError(
      'ERR_MEMPROF_DIRECTORY',
      `the directory of heapLimitDump cannot be made: ${(cause as Error).message}`,
      cause,
    );
  }
}

/**
 * Ends profiling of the calling thread; figures freeze as of its last garbage collection and can still be read; only
 * sampled buffers that are freed later still count as freed. Without effect if it does not run. When the thread itself
 * ends, what it had in use counts as freed. Never throws.
 */
export function stop(): void {
  unwrapWorkers();
  nativeIfLoaded()?.stop();
}
