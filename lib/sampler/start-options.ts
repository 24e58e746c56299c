import path from 'node:path';
import type { NativeStartOptions } from '../addon/native.js';
import { checkBoolean, checkInteger, checkNumber, checkOptions, checkPathOrNull } from '../base/check.js';
import { memprofError } from '../base/errors.js';
import type { StartOptions } from '../profile/public-types.js';

const MIB = 1024 * 1024;

type Check = (value: unknown, name: string) => void;
const integer =
  (low: number, high: number): Check =>
  (value, name) =>
    checkInteger(value, name, low, high);
const number =
  (low: number, high: number): Check =>
  (value, name) =>
    checkNumber(value, name, low, high);

const checks: Record<keyof StartOptions, Check> = {
  sampleInterval: integer(1, 2 ** 30),
  stackDepth: integer(1, 512),
  maxOverhead: number(0.0001, 1),
  maxPause: number(1, 1000),
  maxTableBytes: integer(MIB, 1024 * MIB),
  labelThreads: checkBoolean,
  workers: checkBoolean,
  reset: checkBoolean,
  heapLimitDump: checkPathOrNull,
  buffers: checkBoolean,
  bufferSampleInterval: integer(1, 2 ** 30),
};

/** Throws `ERR_MEMPROF_INVALID_ARG_TYPE` or `ERR_MEMPROF_OUT_OF_RANGE`. Unknown options are left alone, as Node does. */
export function checkStartOptions(
  options: StartOptions | undefined,
): Omit<NativeStartOptions, 'existingBuffers'> & { workers: boolean } {
  const given = checkOptions(options);
  for (const [name, check] of Object.entries(checks)) {
    const value = given[name as keyof StartOptions];
    if (value !== undefined) check(value, `options.${name}`);
  }
  const { heapLimitDump } = given;
  return {
    sampleInterval: given.sampleInterval ?? 0,
    stackDepth: given.stackDepth ?? 0,
    maxOverhead: given.maxOverhead ?? 0,
    maxPause: given.maxPause ?? 0,
    maxTableBytes: given.maxTableBytes ?? 0,
    labelThreads: given.labelThreads === undefined ? -1 : Number(given.labelThreads),
    workers: given.workers ?? false,
    reset: given.reset ?? false,
    buffers: given.buffers === undefined ? -1 : Number(given.buffers),
    bufferSampleInterval: given.bufferSampleInterval ?? 0,
    ...(heapLimitDump === undefined
      ? {}
      : { heapLimitDump: heapLimitDump === null ? '' : resolveDirectory(heapLimitDump) }),
  };
}

/** A relative one cannot be told when the working directory was removed. */
function resolveDirectory(directory: string): string {
  try {
    return path.resolve(directory);
  } catch (cause) {
    throw memprofError(
      'ERR_MEMPROF_DIRECTORY',
      `the directory of heapLimitDump cannot be told: ${(cause as Error).message}`,
      cause,
    );
  }
}
