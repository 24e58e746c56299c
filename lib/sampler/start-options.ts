import path from 'node:path';
import type { NativeStartOptions } from '../addon/native.js';
import { lazily } from '../base/lazily.js';
import type { StartOptions } from '../profile/public-types.js';

const checks = lazily(() => require('../base/check-options.js') as typeof import('../base/check-options.js'));
const errors = lazily(() => require('../base/errors.js') as typeof import('../base/errors.js'));

/** Checks the options of `start()`. Those that are left out are left to the addon, which knows the other threads'. */
export function checkStartOptions(
  options: StartOptions | undefined,
): Omit<NativeStartOptions, 'existingBuffers'> & { workers: boolean } {
  const given = options === undefined ? {} : checks().givenOptions('start', options);
  const { heapLimitDump, sampleInterval } = given;
  const { finest, coarsest } =
    typeof sampleInterval === 'object' ? sampleInterval : { finest: 0, coarsest: sampleInterval ?? 0 };
  return {
    sampleInterval: coarsest,
    finestInterval: finest,
    stackDepth: given.stackDepth ?? 0,
    maxOverhead: given.maxOverhead ?? 0,
    maxPause: given.maxPause ?? 0,
    maxTableBytes: given.maxTableBytes ?? 0,
    labelThreads: given.labelThreads === undefined ? -1 : Number(given.labelThreads),
    workers: given.workers ?? false,
    reset: given.reset ?? false,
    buffers: given.buffers === undefined ? -1 : Number(given.buffers),
    bufferSampleInterval: given.bufferSampleInterval ?? 0,
    // Lines need samples that memprof takes itself.
    directSamples: directSamples(given.directSamples ?? (given.callSites || undefined)),
    callSites: given.callSites === undefined ? -1 : Number(given.callSites),
    ...(heapLimitDump === undefined
      ? {}
      : { heapLimitDump: heapLimitDump === null ? '' : resolveDirectory(heapLimitDump) }),
  };
}

/** Who runs a program can switch them off, whatever it asks for. */
function directSamples(given: boolean | undefined): number {
  const variable = process.env.MEMPROF_DIRECT_SAMPLES?.trim() ?? '';
  if (/^(0|off|no|false)$/i.test(variable)) return 0;
  if (given !== undefined) return Number(given);
  return /^(1|on|yes|true)$/i.test(variable) ? 1 : -1;
}

/** A relative one cannot be resolved when the working directory was removed. */
function resolveDirectory(directory: string): string {
  try {
    return path.resolve(directory);
  } catch (cause) {
    throw errors().memprofError(
      'ERR_MEMPROF_DIRECTORY',
      `the directory of heapLimitDump cannot be resolved: ${(cause as Error).message}`,
      cause,
    );
  }
}
