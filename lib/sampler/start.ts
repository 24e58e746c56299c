import { NativeStartResult, native, nativeIfLoaded } from '../addon/native.js';
import { disposable } from '../base/disposable.js';
import { memprofError } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import { makeDirectory } from '../base/make-directory.js';
import { tellWorkersOfProgram } from '../base/program.js';
import type { Running, StartOptions } from '../profile/public-types.js';
import { unwrapWorkers, wrapWorkers } from './workers.js';

const displaced = lazily(() => require('./displaced.js') as typeof import('./displaced.js'));
const channels = lazily(() => require('./channels.js') as typeof import('./channels.js'));
const startOptions = lazily(() => require('./start-options.js') as typeof import('./start-options.js'));

/** See lib/index.ts. */
export function start(options?: StartOptions): Running {
  const { workers, ...checked } = startOptions().checkStartOptions(options);
  if (checked.heapLimitDump) makeDumpDirectory(checked.heapLimitDump);
  displaced().watchForDisplacement();
  const existingBuffers = checked.buffers === 0 ? 0 : process.memoryUsage().arrayBuffers;
  switch (native().start({ ...checked, existingBuffers })) {
    case NativeStartResult.samplerBusy:
      throw memprofError(
        'ERR_MEMPROF_SAMPLER_BUSY',
        'something else samples the heap of this thread (an inspector, --heap-prof, another profiler): stop it first',
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
  channels().watchHarvests();
  return disposable({ stop }, stop);
}

/** Now: when the heap is full it is too late. */
function makeDumpDirectory(directory: string): void {
  try {
    makeDirectory(directory);
  } catch (cause) {
    throw memprofError(
      'ERR_MEMPROF_DIRECTORY',
      `the directory of heapLimitDump cannot be made: ${(cause as Error).message}`,
      cause,
    );
  }
}

/** See lib/index.ts. */
export function stop(): void {
  unwrapWorkers();
  nativeIfLoaded()?.stop();
}
